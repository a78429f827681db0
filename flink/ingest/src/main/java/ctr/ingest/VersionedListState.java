package ctr.ingest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.OperatorStateStore;
import org.apache.flink.core.io.SimpleVersionedSerialization;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * Stores the elements of an operator's list state as bytes that begin with the version of their format.
 *
 * <p>A savepoint then names no class of the ingest stage, so that classes can be renamed and fields added. State that
 * version 0.1 has written under the same name is converted when it is read; see {@link StateBytesSerializer}.
 */
final class VersionedListState<T> {

    private final ListState<Object> elements;
    private final SimpleVersionedSerializer<T> format;
    private final Function<Object, T> fromVersion01;

    private VersionedListState(
            ListState<Object> elements, SimpleVersionedSerializer<T> format, Function<Object, T> fromVersion01) {
        this.elements = elements;
        this.format = format;
        this.fromVersion01 = fromVersion01;
    }

    /** Makes state that version 0.1 did not have, whose elements are dealt out among the subtasks. */
    static <T> VersionedListState<T> split(OperatorStateStore store, String name, SimpleVersionedSerializer<T> format)
            throws Exception {
        return split(store, name, format, VersionedListState::unknown);
    }

    /** Makes state that version 0.1 did not have, of which every subtask gets all elements. */
    static <T> VersionedListState<T> union(OperatorStateStore store, String name, SimpleVersionedSerializer<T> format)
            throws Exception {
        return union(store, name, format, VersionedListState::unknown);
    }

    private static <T> T unknown(Object element) {
        throw new IllegalStateException("state of an unknown format: " + element.getClass().getName());
    }

    /** Makes state whose elements are dealt out among the subtasks when the job is restored. */
    static <T> VersionedListState<T> split(
            OperatorStateStore store, String name, SimpleVersionedSerializer<T> format, Function<Object, T> fromVersion01)
            throws Exception {
        StateBytesSerializer bytes = new StateBytesSerializer();
        ListState<Object> elements = store.getListState(new ListStateDescriptor<>(name, bytes));
        bytes.registered();
        return new VersionedListState<>(elements, format, fromVersion01);
    }

    /** Makes state of which every subtask gets all elements when the job is restored. */
    static <T> VersionedListState<T> union(
            OperatorStateStore store, String name, SimpleVersionedSerializer<T> format, Function<Object, T> fromVersion01)
            throws Exception {
        StateBytesSerializer bytes = new StateBytesSerializer();
        ListState<Object> elements = store.getUnionListState(new ListStateDescriptor<>(name, bytes));
        bytes.registered();
        return new VersionedListState<>(elements, format, fromVersion01);
    }

    List<T> read() throws Exception {
        List<T> read = new ArrayList<>();
        for (Object element : elements.get()) {
            read.add(
                    element instanceof byte[]
                            ? SimpleVersionedSerialization.readVersionAndDeSerialize(format, (byte[]) element)
                            : fromVersion01.apply(element));
        }
        return read;
    }

    /** Replaces all elements. */
    void write(List<T> values) throws Exception {
        List<Object> written = new ArrayList<>(values.size());
        for (T value : values) {
            written.add(bytes(value));
        }
        elements.update(written);
    }

    /** Frees the memory of elements that a checkpoint has stored; {@link #write} comes before the next one. */
    void release() {
        elements.clear();
    }

    private byte[] bytes(T value) throws IOException {
        return SimpleVersionedSerialization.writeVersionAndSerialize(format, value);
    }
}
