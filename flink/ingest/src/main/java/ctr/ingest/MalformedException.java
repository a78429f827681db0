package ctr.ingest;

import java.io.IOException;

/** Says that a record's bytes are not what its schema says. Preallocated: rejecting garbage must be cheap. */
final class MalformedException extends IOException {

    private static final long serialVersionUID = 1L;

    static final MalformedException NOT_WIRE_FORMAT =
            new MalformedException("not in Confluent wire format (magic byte 0, 4 bytes of schema id, Avro)");
    static final MalformedException ENDS_TOO_EARLY = new MalformedException("the record ends before its last field");
    static final MalformedException NUMBER_TOO_LONG = new MalformedException("a number is longer than its type");
    static final MalformedException NO_SUCH_CHOICE = new MalformedException("a union or enum names a choice that is not there");
    static final MalformedException IMPOSSIBLE_LENGTH = new MalformedException("a length reaches beyond the record");
    static final MalformedException BYTES_LEFT_OVER = new MalformedException("bytes are left over after the last field");
    static final MalformedException TOO_DEEP = new MalformedException("values are nested too deeply");

    private MalformedException(String message) {
        super(message, null);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
