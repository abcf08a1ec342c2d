import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;

/**
 * Prints the configs and the feature levels of the Kafka on the class path, a line each.
 *
 * config SCOPE name|type|default|valid|update mode or synonyms|internal   (~ is null, ! is required)
 * metadata NUMBER name
 * level FEATURE number bootstrap            (the metadata.version from which a new cluster has it)
 */
public class ReleaseTable {
    static String text(Object value) {
        if (value instanceof List) return String.join(",", ((List<?>) value).stream().map(String::valueOf).toList());
        return value instanceof Class ? ((Class<?>) value).getName() : String.valueOf(value);
    }

    static String defaultOf(ConfigDef.ConfigKey key) {
        if (key.defaultValue == ConfigDef.NO_DEFAULT_VALUE) return "!";
        String value = ConfigDef.convertToString(key.defaultValue, key.type);
        return value == null ? "~" : text(value);
    }

    static void table(String scope, ConfigDef def, Map<String, String> extra) {
        for (ConfigDef.ConfigKey key : new TreeMap<>(def.configKeys()).values()) {
            String row = String.join("|", key.name, key.type.name(), defaultOf(key),
                key.validator == null ? "" : text(key.validator), extra.getOrDefault(key.name, ""),
                key.internalConfig ? "internal" : "");
            System.out.println("config " + scope + " " + row.replaceAll("\\|+$", "").replace("\n", " "));
        }
    }

    static Object member(Class<?> type, Object of, String... names) throws ReflectiveOperationException {
        for (String name : names) {
            try {
                Field field = type.getDeclaredField(name);
                field.setAccessible(true);
                return field.get(of);
            } catch (NoSuchFieldException notInThisRelease) {
                continue;
            }
        }
        throw new NoSuchFieldException(type.getName() + ": none of " + String.join(", ", names));
    }

    /** Names in a Java collection, or in a Scala one: the class was Scala's until 4.2. */
    static List<String> names(Object collection) throws ReflectiveOperationException {
        List<String> found = new ArrayList<>();
        if (collection instanceof Iterable) {
            for (Object one : (Iterable<?>) collection) found.add(String.valueOf(one));
            return found;
        }
        Class<?> iterableOnce = Class.forName("scala.collection.IterableOnce"), iterator = Class.forName("scala.collection.Iterator");
        Object all = iterableOnce.getMethod("iterator").invoke(collection);
        while ((Boolean) iterator.getMethod("hasNext").invoke(all)) {
            found.add(String.valueOf(iterator.getMethod("next").invoke(all)));
        }
        return found;
    }

    static Map<String, String> updateModes() throws ReflectiveOperationException {
        Class<?> type;
        Object of = null;
        try {
            type = Class.forName("org.apache.kafka.server.config.DynamicBrokerConfig");
        } catch (ClassNotFoundException scala) {
            type = Class.forName("kafka.server.DynamicBrokerConfig$");
            of = type.getField("MODULE$").get(null);
        }
        Map<String, String> modes = new HashMap<>();
        for (String name : names(member(type, of, "ALL_DYNAMIC_CONFIGS", "AllDynamicConfigs"))) modes.put(name, "dynamic");
        for (String name : names(member(type, of, "PER_BROKER_CONFIGS", "PerBrokerConfigs"))) modes.put(name, "per-broker");
        return modes;
    }

    static Map<String, String> topicSynonyms() throws ReflectiveOperationException {
        Class<?> type = Class.forName("org.apache.kafka.server.config.ServerTopicConfigSynonyms");
        Map<String, String> synonyms = new HashMap<>();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) member(type, null, "ALL_TOPIC_CONFIG_SYNONYMS")).entrySet()) {
            List<String> texts = new ArrayList<>();
            for (Object one : (List<?>) entry.getValue()) {
                Object converter = one.getClass().getMethod("converter").invoke(one);
                @SuppressWarnings("unchecked")
                Object times = ((java.util.function.Function<String, ?>) converter).apply("1");
                texts.add(one.getClass().getMethod("name").invoke(one) + "*" + times);
            }
            synonyms.put((String) entry.getKey(), String.join(",", texts));
        }
        return synonyms;
    }

    static Map<String, String> groupSynonyms(Class<?> type) throws ReflectiveOperationException {
        Map<String, String> synonyms = new HashMap<>();
        try {
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) member(type, null, "ALL_GROUP_CONFIG_SYNONYMS")).entrySet()) {
                Optional<?> name = (Optional<?>) entry.getValue();
                name.ifPresent(one -> synonyms.put((String) entry.getKey(), one + "*1"));
            }
        } catch (NoSuchFieldException notInThisRelease) {
            return synonyms;
        }
        return synonyms;
    }

    static void levels() throws ReflectiveOperationException {
        Class<?> metadata = Class.forName("org.apache.kafka.server.common.MetadataVersion");
        Method number = metadata.getMethod("featureLevel");
        for (Object one : metadata.getEnumConstants()) {
            System.out.println("metadata " + number.invoke(one) + " " + metadata.getMethod("version").invoke(one));
        }
        Class<?> feature = Class.forName("org.apache.kafka.server.common.Feature");
        Class<?> level = Class.forName("org.apache.kafka.server.common.FeatureVersion");
        for (Object one : (List<?>) feature.getField("PRODUCTION_FEATURES").get(null)) {
            for (Object version : (Object[]) member(feature, one, "featureVersions")) {
                Object begins = level.getMethod("bootstrapMetadataVersion").invoke(version);
                System.out.println("level " + feature.getMethod("featureName").invoke(one) + " "
                    + level.getMethod("featureLevel").invoke(version) + " " + number.invoke(begins));
            }
        }
    }

    public static void main(String[] arguments) throws ReflectiveOperationException {
        Class<?> broker = Class.forName("org.apache.kafka.server.config.AbstractKafkaConfig");
        table("broker", (ConfigDef) member(broker, null, "CONFIG_DEF"), updateModes());
        Class<?> log = Class.forName("org.apache.kafka.storage.internals.log.LogConfig");
        table("topic", (ConfigDef) log.getMethod("configDefCopy").invoke(null), topicSynonyms());
        Class<?> group = Class.forName("org.apache.kafka.coordinator.group.GroupConfig");
        table("group", (ConfigDef) member(group, null, "CONFIG_DEF", "CONFIG"), groupSynonyms(group));
        Class<?> metrics = Class.forName("org.apache.kafka.server.metrics.ClientMetricsConfigs");
        table("client-metrics", (ConfigDef) member(metrics, null, "CONFIG"), Map.of());
        levels();
    }
}
