import com.sun.source.tree.*;
import com.sun.source.util.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
import javax.lang.model.element.*;
import javax.lang.model.type.*;
import javax.lang.model.util.*;
import javax.tools.*;

/**
 * What javac says about a tree of sources: the gold that the graph is compared with.
 *
 * <p>{@code java JavacOracle.java TREE [javac options]} attributes every file as javac does before
 * it writes class files and prints one fact a line, separated by tabs:
 * {@code call caller declared receiver file line kind in-lambda},
 * {@code write method field file line}, {@code throw method exception file line},
 * {@code declares method exception}, {@code method name file line}.
 * It shares nothing with the system under test.
 */
public class JavacOracle {
    static Trees trees;
    static Elements elements;
    static Types types;
    static Path root;
    static PrintStream out;

    public static void main(String[] args) throws Exception {
        root = Paths.get(args[0]).toAbsolutePath().normalize();
        out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
        List<String> options = new ArrayList<>(Arrays.asList(args).subList(1, args.length));
        options.addAll(List.of("-proc:none", "-Xlint:none", "-nowarn", "-Xmaxerrs", "20"));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8);
        List<File> files;
        try (Stream<Path> walk = Files.walk(root)) {
            files = walk.filter(p -> p.toString().endsWith(".java")).sorted()
                    .filter(p -> !p.endsWith("module-info.java") && !p.endsWith("package-info.java"))
                    .map(Path::toFile).collect(Collectors.toList());
        }
        JavacTask task = (JavacTask) compiler.getTask(new PrintWriter(System.err), manager, null, options,
                null, manager.getJavaFileObjectsFromFiles(files));
        Iterable<? extends CompilationUnitTree> units = task.parse();
        task.analyze();
        trees = Trees.instance(task);
        elements = task.getElements();
        types = task.getTypes();
        for (CompilationUnitTree unit : units) {
            new Scan(unit).scan(unit, null);
        }
        out.flush();
    }

    static class Scan extends TreePathScanner<Void, Void> {
        final CompilationUnitTree unit;
        final LineMap lines;
        final String file;
        final Deque<List<String>> callers = new ArrayDeque<>();
        final Deque<ClassTree> classes = new ArrayDeque<>();
        final Deque<Integer> lambdas = new ArrayDeque<>();

        Scan(CompilationUnitTree unit) {
            this.unit = unit;
            lines = unit.getLineMap();
            file = root.relativize(Paths.get(unit.getSourceFile().toUri())).toString();
            lambdas.push(0);
        }

        @Override
        public Void visitAnnotation(AnnotationTree node, Void p) {
            return null;
        }

        @Override
        public Void visitClass(ClassTree node, Void p) {
            TypeElement cls = (TypeElement) trees.getElement(getCurrentPath());
            classes.push(node);
            lambdas.push(0);
            List<String> made = new ArrayList<>();
            for (Tree member : node.getMembers()) {
                if (member instanceof MethodTree m && m.getName().contentEquals("<init>") && !callsThis(m)) {
                    made.add(flat(cls) + ".<init>/" + m.getParameters().size());
                }
            }
            if (cls.getKind() == ElementKind.RECORD && made.isEmpty()) {
                made.add(flat(cls) + ".<init>/" + cls.getRecordComponents().size());
            }
            for (Tree member : node.getMembers()) {
                TreePath path = new TreePath(getCurrentPath(), member);
                if (member instanceof MethodTree m) {
                    ExecutableElement e = (ExecutableElement) trees.getElement(path);
                    callers.push(List.of(name(e)));
                    if (start(member) >= 0 && !generated(m)) {
                        for (TypeMirror t : e.getThrownTypes()) {
                            row("declares", name(e), raw(t));
                        }
                        row("method", name(e), file, Long.toString(line(start(member))));
                    }
                } else if (member instanceof VariableTree v) {
                    Element e = trees.getElement(path);
                    boolean fixed = e.getModifiers().contains(Modifier.STATIC);
                    callers.push(fixed ? List.of(flat(cls) + ".<clinit>/0") : made);
                    if (v.getInitializer() != null
                            && !(fixed && ((VariableElement) e).getConstantValue() != null)) {
                        wrote((VariableElement) e, start(member));
                    }
                } else if (member instanceof BlockTree b) {
                    callers.push(b.isStatic() ? List.of(flat(cls) + ".<clinit>/0") : made);
                } else {
                    callers.push(List.of());
                }
                scan(member, p);
                callers.pop();
            }
            lambdas.pop();
            classes.pop();
            return null;
        }

        boolean generated(MethodTree m) {
            // a default constructor has the place of its class
            return m.getName().contentEquals("<init>") && classes.peek() != null
                    && start(m) == start(classes.peek());
        }

        boolean callsThis(MethodTree m) {
            if (m.getBody() == null || m.getBody().getStatements().isEmpty()) {
                return false;
            }
            return m.getBody().getStatements().get(0) instanceof ExpressionStatementTree s
                    && s.getExpression() instanceof MethodInvocationTree call
                    && call.getMethodSelect() instanceof IdentifierTree i
                    && i.getName().contentEquals("this");
        }

        @Override
        public Void visitLambdaExpression(LambdaExpressionTree node, Void p) {
            lambdas.push(lambdas.pop() + 1);
            super.visitLambdaExpression(node, p);
            lambdas.push(lambdas.pop() - 1);
            return null;
        }

        @Override
        public Void visitMethodInvocation(MethodInvocationTree node, Void p) {
            Element e = trees.getElement(getCurrentPath());
            if (e instanceof ExecutableElement m && !implied(node)) {
                String kind = m.getModifiers().contains(Modifier.STATIC) ? "static" : "virtual";
                TypeMirror site = null;
                ExpressionTree select = node.getMethodSelect();
                if (select instanceof MemberSelectTree s) {
                    TreePath inner = new TreePath(new TreePath(getCurrentPath(), select), s.getExpression());
                    site = trees.getTypeMirror(inner);
                    String said = s.getExpression().toString();
                    kind = said.equals("super") || said.endsWith(".super") ? "special" : kind;
                } else if (select instanceof IdentifierTree i
                        && (i.getName().contentEquals("this") || i.getName().contentEquals("super"))) {
                    kind = "constructor";
                } else {
                    site = around(m);
                }
                long end = trees.getSourcePositions().getEndPosition(unit, select);
                call(m, site, bracket(end), kind);
            }
            return super.visitMethodInvocation(node, p);
        }

        /** The type of the innermost class around that has the method. */
        TypeMirror around(ExecutableElement m) {
            TreePath path = getCurrentPath();
            for (; path != null; path = path.getParentPath()) {
                if (path.getLeaf() instanceof ClassTree) {
                    TypeElement cls = (TypeElement) trees.getElement(path);
                    if (types.isSubtype(types.erasure(cls.asType()),
                            types.erasure(m.getEnclosingElement().asType()))) {
                        return cls.asType();
                    }
                }
            }
            return m.getEnclosingElement().asType();
        }

        /** A call of the superclass's constructor that nobody wrote. */
        boolean implied(MethodInvocationTree node) {
            long end = trees.getSourcePositions().getEndPosition(unit, node);
            return start(node) < 0 || end <= start(node) || !text(start(node), end).contains("(");
        }

        @Override
        public Void visitNewClass(NewClassTree node, Void p) {
            Element e = trees.getElement(getCurrentPath());
            if (e instanceof ExecutableElement m) {
                call(m, m.getEnclosingElement().asType(), start(node), "constructor");
            }
            return super.visitNewClass(node, p);
        }

        @Override
        public Void visitMemberReference(MemberReferenceTree node, Void p) {
            Element e = trees.getElement(getCurrentPath());
            if (e instanceof ExecutableElement m && m.getEnclosingElement() instanceof TypeElement) {
                TypeMirror site = trees.getTypeMirror(
                        new TreePath(getCurrentPath(), node.getQualifierExpression()));
                if (site.getKind() != TypeKind.ARRAY || !m.getSimpleName().contentEquals("<init>")) {
                    call(m, site, start(node), "reference");
                }
            }
            return super.visitMemberReference(node, p);
        }

        void call(ExecutableElement m, TypeMirror site, long place, String kind) {
            TypeElement owner = (TypeElement) m.getEnclosingElement();
            if (kind.equals("virtual")) {
                kind = interfaceOf(owner, site) ? "interface" : "virtual";
            }
            String tail = "." + m.getSimpleName() + "/" + m.getParameters().size();
            // an array's own clone() is Object's
            String declared = (owner.getQualifiedName().contentEquals("Array") ? "java.lang.Object" : flat(owner)) + tail;
            String receiver = site == null ? declared : raw(site) + tail;
            boolean folded = lambdas.peek() > 0 || kind.equals("reference");
            for (String caller : callers.isEmpty() ? List.<String>of() : callers.peek()) {
                row("call", caller, declared, receiver, file, Long.toString(line(place)), kind,
                        folded ? "1" : "0");
            }
        }

        boolean interfaceOf(TypeElement owner, TypeMirror site) {
            if (flat(owner).equals("java.lang.Object") || site == null) {
                return owner.getKind().isInterface();
            }
            TypeMirror erased = types.erasure(site);
            return erased instanceof DeclaredType d ? d.asElement().getKind().isInterface()
                    : owner.getKind().isInterface();
        }

        @Override
        public Void visitAssignment(AssignmentTree node, Void p) {
            written(node.getVariable());
            return super.visitAssignment(node, p);
        }

        @Override
        public Void visitCompoundAssignment(CompoundAssignmentTree node, Void p) {
            written(node.getVariable());
            return super.visitCompoundAssignment(node, p);
        }

        @Override
        public Void visitUnary(UnaryTree node, Void p) {
            switch (node.getKind()) {
                case PREFIX_INCREMENT, PREFIX_DECREMENT, POSTFIX_INCREMENT, POSTFIX_DECREMENT ->
                    written(node.getExpression());
                default -> { }
            }
            return super.visitUnary(node, p);
        }

        void written(ExpressionTree target) {
            while (target instanceof ParenthesizedTree q) {
                target = q.getExpression();
            }
            Element e = trees.getElement(TreePath.getPath(unit, target));
            if (e instanceof VariableElement v) {
                wrote(v, start(target));
            }
        }

        void wrote(VariableElement v, long place) {
            if (v.getKind() == ElementKind.FIELD || v.getKind() == ElementKind.ENUM_CONSTANT) {
                String field = flat((TypeElement) v.getEnclosingElement()) + "." + v.getSimpleName();
                for (String caller : callers.peek()) {
                    row("write", caller, field, file, Long.toString(line(place)));
                }
            }
        }

        @Override
        public Void visitThrow(ThrowTree node, Void p) {
            TypeMirror t = trees.getTypeMirror(new TreePath(getCurrentPath(), node.getExpression()));
            for (String caller : callers.peek()) {
                row("throw", caller, raw(t), file, Long.toString(line(start(node))));
            }
            return super.visitThrow(node, p);
        }

        long start(Tree tree) {
            return trees.getSourcePositions().getStartPosition(unit, tree);
        }

        long line(long place) {
            return place < 0 ? -1 : lines.getLineNumber(place);
        }

        String text(long from, long to) {
            try {
                return unit.getSourceFile().getCharContent(true).subSequence((int) from, (int) to).toString();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** The place of the bracket that opens the arguments, past comments. */
        long bracket(long from) {
            try {
                CharSequence all = unit.getSourceFile().getCharContent(true);
                int at = (int) from;
                while (at >= 0 && at < all.length() && all.charAt(at) != '(') {
                    at++;
                }
                return at;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    static String name(ExecutableElement e) {
        return flat((TypeElement) e.getEnclosingElement()) + "." + e.getSimpleName() + "/" + e.getParameters().size();
    }

    static String flat(TypeElement e) {
        return elements.getBinaryName(e).toString();
    }

    static String raw(TypeMirror t) {
        if (t.getKind() == TypeKind.TYPEVAR) {
            return raw(types.erasure(t));
        }
        if (t instanceof IntersectionType i) {
            return raw(i.getBounds().get(0));
        }
        if (t.getKind() == TypeKind.ARRAY) {
            return "java.lang.Object";
        }
        Element e = types.asElement(t.getKind() == TypeKind.WILDCARD ? types.erasure(t) : t);
        return e instanceof TypeElement c ? flat(c) : t.toString();
    }

    static void row(String... cells) {
        out.println(String.join("\t", cells));
    }
}
