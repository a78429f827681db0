package ctr.ingest;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.api.java.typeutils.runtime.PojoSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Writes list state as byte arrays, in Flink's own format for them, and takes over state that was written as POJOs.
 *
 * <p>Flink reads operator state with the serializer that the savepoint names, and asks the new one whether it can go on
 * from there. To that question alone this one answers with a snapshot of its own; what is stored names Flink's
 * serializer of byte arrays, so that a later release needs nothing of this.
 */
final class StateBytesSerializer extends TypeSerializer<Object> {

    private static final long serialVersionUID = 1L;

    private static final BytePrimitiveArraySerializer BYTES = BytePrimitiveArraySerializer.INSTANCE;

    private boolean registered;

    /** Flink has accepted this serializer for the restored state, and will only write with it. */
    void registered() {
        registered = true;
    }

    @Override
    @SuppressWarnings("unchecked")
    public TypeSerializerSnapshot<Object> snapshotConfiguration() {
        return registered
                ? (TypeSerializerSnapshot<Object>) (TypeSerializerSnapshot<?>) BYTES.snapshotConfiguration()
                : new Restoring();
    }

    @Override
    public boolean isImmutableType() {
        return false;
    }

    @Override
    public TypeSerializer<Object> duplicate() {
        return this;
    }

    @Override
    public Object createInstance() {
        return BYTES.createInstance();
    }

    @Override
    public Object copy(Object from) {
        return BYTES.copy((byte[]) from);
    }

    @Override
    public Object copy(Object from, Object reuse) {
        return copy(from);
    }

    @Override
    public int getLength() {
        return BYTES.getLength();
    }

    @Override
    public void serialize(Object record, DataOutputView target) throws IOException {
        BYTES.serialize((byte[]) record, target);
    }

    @Override
    public Object deserialize(DataInputView source) throws IOException {
        return BYTES.deserialize(source);
    }

    @Override
    public Object deserialize(Object reuse, DataInputView source) throws IOException {
        return BYTES.deserialize(source);
    }

    @Override
    public void copy(DataInputView source, DataOutputView target) throws IOException {
        BYTES.copy(source, target);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StateBytesSerializer;
    }

    @Override
    public int hashCode() {
        return StateBytesSerializer.class.hashCode();
    }

    /** Says which restored state this serializer can go on from; never stored. */
    private static final class Restoring implements TypeSerializerSnapshot<Object> {

        @Override
        public TypeSerializerSchemaCompatibility<Object> resolveSchemaCompatibility(TypeSerializerSnapshot<Object> stored) {
            TypeSerializerSnapshot<?> found = stored;
            if (found instanceof BytePrimitiveArraySerializer.BytePrimitiveArraySerializerSnapshot) {
                return TypeSerializerSchemaCompatibility.compatibleAsIs();
            }
            return found instanceof PojoSerializerSnapshot
                    ? TypeSerializerSchemaCompatibility.compatibleAfterMigration()
                    : TypeSerializerSchemaCompatibility.incompatible();
        }

        @Override
        public TypeSerializer<Object> restoreSerializer() {
            throw neverStored();
        }

        @Override
        public int getCurrentVersion() {
            throw neverStored();
        }

        @Override
        public void writeSnapshot(DataOutputView out) {
            throw neverStored();
        }

        @Override
        public void readSnapshot(int readVersion, DataInputView in, ClassLoader classLoader) {
            throw neverStored();
        }

        private static IllegalStateException neverStored() {
            return new IllegalStateException("the state was written before it was registered");
        }
    }
}
