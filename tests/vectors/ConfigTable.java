import java.util.*;
import org.apache.kafka.common.config.ConfigDef;

/** Prints every broker, topic, group and client-metrics config of the Kafka on the class path as tab-separated lines. */
public class ConfigTable {
    static String text(Object o) {
        if (o == null) return "\\0";
        String s = (o instanceof List) ? String.join(",", ((List<?>) o).stream().map(String::valueOf).toList())
            : (o instanceof Class) ? ((Class<?>) o).getName() : String.valueOf(o);
        return s.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n");
    }
    static void table(String scope, ConfigDef def, Map<String, String> extra) {
        for (ConfigDef.ConfigKey k : new TreeMap<>(def.configKeys()).values()) {
            String d = k.defaultValue == ConfigDef.NO_DEFAULT_VALUE ? "\\-" : text(ConfigDef.convertToString(k.defaultValue, k.type));
            System.out.println(String.join("\t", scope, k.name, k.type.name(), d,
                k.validator == null ? "" : text(k.validator.toString()), k.importance.name(),
                k.internalConfig ? "internal" : "", extra.getOrDefault(k.name, "")));
        }
    }
    public static void main(String[] a) throws Exception {
        Map<String, String> modes = new HashMap<>();
        Class<?> dyn = Class.forName("org.apache.kafka.server.config.DynamicBrokerConfig");
        
        
        for (String m : new String[]{"PER_BROKER_CONFIGS", "ALL_DYNAMIC_CONFIGS"}) {
            java.lang.reflect.Field field = dyn.getDeclaredField(m);
            field.setAccessible(true);
            Iterable<?> it = (Iterable<?>) field.get(null);
            for (Object o : it) modes.merge(String.valueOf(o), m.equals("PER_BROKER_CONFIGS") ? "per-broker" : "dynamic",
                (x, y) -> x.equals("per-broker") || y.equals("per-broker") ? "per-broker" : y);
        }
        table("broker", (ConfigDef) Class.forName("org.apache.kafka.server.config.AbstractKafkaConfig").getField("CONFIG_DEF").get(null), modes);
        Map<String, String> server = new HashMap<>();
        for (Object e : ((Map<?, ?>) Class.forName("org.apache.kafka.server.config.ServerTopicConfigSynonyms").getField("ALL_TOPIC_CONFIG_SYNONYMS").get(null)).entrySet()) {
            Map.Entry<?, ?> me = (Map.Entry<?, ?>) e;
            StringBuilder b = new StringBuilder();
            for (Object s : (List<?>) me.getValue()) {
                Object n = s.getClass().getMethod("name").invoke(s);
                long one = ((Number) ((java.util.function.Function<String, ?>) s.getClass().getMethod("converter").invoke(s)).apply("1").toString().transform(Long::parseLong)).longValue();
                if (b.length() > 0) b.append(",");
                b.append(n).append("*").append(one);
            }
            server.put((String) me.getKey(), b.toString());
        }
        Class<?> lc = Class.forName("org.apache.kafka.storage.internals.log.LogConfig");
        table("topic", (ConfigDef) lc.getMethod("configDefCopy").invoke(null), server);
        Class<?> gc = Class.forName("org.apache.kafka.coordinator.group.GroupConfig");
        table("group", (ConfigDef) gc.getField("CONFIG_DEF").get(null), Map.of());
        Class<?> cm = Class.forName("org.apache.kafka.server.metrics.ClientMetricsConfigs");
        for (java.lang.reflect.Method m : cm.getMethods())
            if (m.getReturnType() == ConfigDef.class && m.getParameterCount() == 0) { table("client-metrics", (ConfigDef) m.invoke(null), Map.of()); break; }
    }
}
