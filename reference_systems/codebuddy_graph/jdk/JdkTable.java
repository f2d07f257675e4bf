import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.GenericDeclaration;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Prints the public and protected signatures of the Java platform, one class a line: the binary
 * name, a tab, and JSON in the form of the skeletons that the index keeps. Run by a developer
 * ({@code java JdkTable.java}); users of the index need no JDK.
 */
public class JdkTable {
    static final Set<String> MODULES = Set.of("jdk.httpserver", "jdk.unsupported", "jdk.net",
            "jdk.compiler", "jdk.management");

    public static void main(String[] args) throws Exception {
        FileSystem image = FileSystems.getFileSystem(URI.create("jrt:/"));
        TreeMap<String, Class<?>> found = new TreeMap<>();
        for (Module module : ModuleLayer.boot().modules()) {
            String name = module.getName();
            if (!name.startsWith("java.") && !MODULES.contains(name)) {
                continue;
            }
            for (String pack : new TreeSet<>(module.getDescriptor().exports().stream()
                    .filter(e -> !e.isQualified()).map(e -> e.source()).toList())) {
                Path folder = image.getPath("modules", name, pack.replace('.', '/'));
                try (Stream<Path> files = Files.list(folder)) {
                    for (Path file : files.sorted().toList()) {
                        String simple = file.getFileName().toString();
                        if (simple.endsWith(".class") && !simple.equals("package-info.class")) {
                            load(found, pack + "." + simple.substring(0, simple.length() - 6));
                        }
                    }
                }
            }
        }
        // a public class may inherit from one that is not
        for (Class<?> c : new ArrayList<>(found.values())) {
            for (Class<?> s = c.getSuperclass(); s != null; s = s.getSuperclass()) {
                found.putIfAbsent(s.getName(), s);
            }
            addInterfaces(found, c);
        }
        StringBuilder out = new StringBuilder();
        for (Class<?> c : found.values()) {
            out.append(c.getName()).append('\t').append(type(c)).append('\n');
        }
        System.out.write(out.toString().getBytes("UTF-8"));
        System.out.flush();
    }

    static void load(TreeMap<String, Class<?>> found, String name) {
        try {
            Class<?> c = Class.forName(name, false, ClassLoader.getSystemClassLoader());
            if (seen(c.getModifiers()) && !c.isAnonymousClass() && !c.isLocalClass()
                    && (c.getDeclaringClass() == null || seen(outermost(c).getModifiers()))) {
                found.put(name, c);
            }
        } catch (Throwable notLoadable) {
            System.err.println(name + ": " + notLoadable);
        }
    }

    static Class<?> outermost(Class<?> c) {
        return c.getDeclaringClass() == null ? c : outermost(c.getDeclaringClass());
    }

    static void addInterfaces(TreeMap<String, Class<?>> found, Class<?> c) {
        for (Class<?> i : c.getInterfaces()) {
            found.putIfAbsent(i.getName(), i);
            addInterfaces(found, i);
        }
    }

    static boolean seen(int modifiers) {
        return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
    }

    static String type(Class<?> c) {
        String kind = c.isAnnotation() ? "a" : c.isInterface() ? "i" : c.isEnum() ? "e"
                : c.isRecord() ? "r" : "c";
        int flags = (Modifier.isStatic(c.getModifiers()) ? 1 : 0)
                | (Modifier.isAbstract(c.getModifiers()) ? 4 : 0);
        List<String> methods = new ArrayList<>();
        Constructor<?>[] made = c.getDeclaredConstructors();
        Arrays.sort(made, Comparator.comparing(Constructor::toString));
        for (Constructor<?> m : made) {
            boolean inner = c.getDeclaringClass() != null && !Modifier.isStatic(c.getModifiers());
            Type[] params = m.getGenericParameterTypes();
            if (inner && params.length > 0 && params.length == m.getParameterCount()) {
                params = Arrays.copyOfRange(params, 1, params.length);
            }
            if (kept(m)) {
                methods.add(method("<init>", m, params, "void"));
            }
        }
        Method[] declared = c.getDeclaredMethods();
        Arrays.sort(declared, Comparator.comparing(Method::toString));
        for (Method m : declared) {
            if (kept(m)) {
                methods.add(method(m.getName(), m, m.getGenericParameterTypes(),
                        name(m.getGenericReturnType())));
            }
        }
        List<String> fields = new ArrayList<>();
        for (Field f : c.getDeclaredFields()) {
            if (kept(f)) {
                fields.add("[" + quote(f.getName()) + "," + (f.getModifiers() & 8) / 8 + ","
                        + quote(name(f.getGenericType())) + "]");
            }
        }
        String simple = c.getSimpleName();
        Type s = c.getGenericSuperclass();
        return "{\"n\":" + quote(simple) + ",\"k\":\"" + kind + "\",\"f\":" + flags + ",\"tp\":"
                + quote(variables(c)) + ",\"s\":" + quote(s == null ? "" : name(s)) + ",\"i\":"
                + names(c.getGenericInterfaces()) + ",\"m\":[" + String.join(",", methods)
                + "],\"v\":[" + String.join(",", fields) + "]}";
    }

    static boolean kept(Member m) {
        return seen(m.getModifiers()) && !m.isSynthetic();
    }

    static String method(String name, Executable m, Type[] params, String back) {
        int flags = (Modifier.isStatic(m.getModifiers()) ? 1 : 0) | (m.isVarArgs() ? 2 : 0)
                | (Modifier.isAbstract(m.getModifiers()) ? 4 : 0)
                | (m instanceof Method && ((Method) m).isDefault() ? 16 : 0);
        return "[" + quote(name) + "," + flags + "," + quote(variables(m)) + "," + quote(back) + ","
                + names(params) + "," + names(m.getGenericExceptionTypes()) + "]";
    }

    static String variables(GenericDeclaration g) {
        return Arrays.stream(g.getTypeParameters()).map(JdkTable::variable)
                .collect(Collectors.joining(","));
    }

    static String variable(TypeVariable<?> v) {
        Type[] bounds = v.getBounds();
        if (bounds.length == 1 && bounds[0] == Object.class) {
            return v.getName();
        }
        return v.getName() + " extends " + Arrays.stream(bounds).map(JdkTable::name)
                .collect(Collectors.joining("&"));
    }

    static String names(Type[] types) {
        return Arrays.stream(types).map(t -> quote(name(t))).collect(Collectors.joining(",", "[", "]"));
    }

    static String name(Type t) {
        if (t instanceof Class<?> c && c.isArray()) {
            return name(c.getComponentType()) + "[]";
        }
        if (t instanceof ParameterizedType p) {
            return p.getRawType().getTypeName() + Arrays.stream(p.getActualTypeArguments())
                    .map(JdkTable::name).collect(Collectors.joining(",", "<", ">"));
        }
        if (t instanceof java.lang.reflect.GenericArrayType a) {
            return name(a.getGenericComponentType()) + "[]";
        }
        if (t instanceof java.lang.reflect.WildcardType w) {
            if (w.getLowerBounds().length > 0) {
                return "? super " + name(w.getLowerBounds()[0]);
            }
            Type upper = w.getUpperBounds()[0];
            return upper == Object.class ? "?" : "? extends " + name(upper);
        }
        return t.getTypeName();
    }

    static String quote(String text) {
        return "\"" + text + "\"";
    }
}
