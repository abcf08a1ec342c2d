import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.jar.JarFile;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.Readable;
import org.apache.kafka.common.protocol.types.*;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Prints one JSON line for each (message, version, variant) that the Kafka on the class path can serialise: its bytes
 * as Kafka writes them and its content as Kafka's own JSON converter shows it. See README.md beside this file.
 */
public class VectorMaker {
    enum Variant { MIN, FULL, NULLS, UNKNOWN_TAG }

    static final int UNKNOWN_TAG = 10_000;
    static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    static long counter;

    static Object value(Type type, Variant variant) {
        boolean isMin = variant == Variant.MIN;
        if (variant == Variant.NULLS && type.isNullable()) return null;
        if (type instanceof TaggedFields tags) {
            NavigableMap<Integer, Object> values = new TreeMap<>();
            // A null struct in a tagged field is not written as its Schema would write it, so it is left at its default.
            if (!isMin) tags.fields().forEach((tag, field) -> {
                boolean isNullStruct = variant == Variant.NULLS && field.type instanceof Schema && field.type.isNullable();
                if (!isNullStruct) values.put(tag, value(field.type, variant));
            });
            if (variant == Variant.UNKNOWN_TAG) values.put(UNKNOWN_TAG, new RawTaggedField(UNKNOWN_TAG, new byte[] {1, 2, 3}));
            return values;
        }
        if (type instanceof Schema schema) {
            Struct struct = new Struct(schema);
            for (BoundField field : schema.fields()) struct.set(field, value(field.def.type, variant));
            return struct;
        }
        if (type.isArray()) {
            Object[] items = new Object[isMin ? 0 : 2];
            for (int i = 0; i < items.length; i++) items[i] = value(type.arrayElementType().get(), variant);
            return items;
        }
        return plain(((Type.DocumentedType) type).typeName().replaceFirst("^(COMPACT_)?(NULLABLE_)?", ""), isMin);
    }

    static Object plain(String name, boolean isMin) {
        long n = isMin ? 0 : ++counter;
        return switch (name) {
            case "BOOLEAN" -> !isMin;
            case "INT8" -> (byte) (n % 127);
            case "INT16" -> (short) n;
            case "UINT16" -> (int) (isMin ? 0 : 40_000 + n % 20_000);
            case "INT32" -> (int) (isMin ? 0 : n % 2 == 0 ? -n : 2_000_000_000L + n % 100_000_000);
            case "UINT32", "UNSIGNED_INT32" -> isMin ? 0L : 3_000_000_000L + n;
            case "INT64" -> isMin ? 0L : n % 2 == 0 ? -n : 5_000_000_000L + n;
            case "FLOAT64" -> isMin ? 0.0 : n + 0.25;
            case "UUID" -> isMin ? Uuid.ZERO_UUID : new Uuid(n, ~n);
            case "STRING" -> isMin ? "" : n % 7 == 0 ? "é".repeat(80) + n : "s" + n;
            case "BYTES" -> ByteBuffer.wrap(isMin ? new byte[0] : new byte[] {(byte) n, 0, -1});
            case "RECORDS" -> isMin ? MemoryRecords.EMPTY
                : MemoryRecords.readableRecords(ByteBuffer.wrap(new byte[] {9, 8, 7, (byte) n}));
            default -> throw new IllegalStateException("no value for a field of type " + name);
        };
    }

    static void line(Class<?> data, String name, short version, Schema schema, Variant variant) throws Exception {
        Struct struct = (Struct) value(schema, variant);
        ByteBuffer raw = ByteBuffer.allocate(struct.sizeOf());
        struct.writeTo(raw);
        raw.flip();
        Message message = (Message) data.getConstructor(Readable.class, short.class)
            .newInstance(new ByteBufferAccessor(raw), version);
        byte[] bytes = MessageUtil.toByteBufferAccessor(message, version).buffer().array();
        JsonNode json = (JsonNode) Class.forName(data.getName() + "JsonConverter")
            .getMethod("write", data, short.class).invoke(null, message, version);
        OUT.printf("{\"name\":\"%s\",\"version\":%d,\"variant\":\"%s\",\"hex\":\"%s\",\"json\":%s}%n",
            name, version, variant.name().toLowerCase(), HexFormat.of().formatHex(bytes), json);
    }

    public static void main(String[] jars) throws Exception {
        SortedMap<String, Class<?>> messages = new TreeMap<>();
        for (String jar : jars)
            try (JarFile archive = new JarFile(new File(jar))) {
                for (var entry : Collections.list(archive.entries()))
                    if (entry.getName().matches("[^$]*JsonConverter\\.class")) {
                        String name = entry.getName().replaceFirst("JsonConverter\\.class$", "").replace('/', '.');
                        try {
                            Class<?> data = Class.forName(name);
                            if (Message.class.isAssignableFrom(data)) messages.put(data.getSimpleName(), data);
                        } catch (ClassNotFoundException e) {
                            continue;  // a dispatcher over several messages, not a message's own converter
                        }
                    }
            }
        for (var entry : messages.entrySet()) {
            Class<?> data = entry.getValue();
            String name = entry.getKey().replaceFirst("(Request|Response)Data$", "$1");
            if (name.endsWith("HeaderData")) name = name.replaceFirst("Data$", "");
            Schema[] schemas = (Schema[]) data.getField("SCHEMAS").get(null);
            for (short v = data.getField("LOWEST_SUPPORTED_VERSION").getShort(null); v < schemas.length; v++) {
                boolean isFlexible = schemas[v].toString().contains("_tagged_fields");
                for (Variant variant : Variant.values())
                    if (variant != Variant.UNKNOWN_TAG || isFlexible) {
                        counter = 0;
                        line(data, name, v, schemas[v], variant);
                    }
            }
        }
        OUT.flush();
    }
}
