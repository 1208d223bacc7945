/// An operator of a user's own domain: one type, in one file, given to `Model` when it is opened.
///
/// The life of a node: `infer` gives its outputs' types, first with what is known of the shapes and then with concrete ones;
/// `prepare` makes a kernel for concrete shapes; the kernel runs, often at once in several runs. Operators whose outputs'
/// sizes depend on data are dynamic and implement `evaluate` instead of `prepare`.
public protocol CustomOperator: Sendable {
    /// What the operator takes and gives. Its domain is the user's own.
    static var schema: Schema { get }

    /// Whether `evaluate` makes the outputs at each run, because their sizes depend on data or they are no plain tensors.
    static var isDynamic: Bool { get }

    /// Sets the outputs' types from the inputs' types and constants.
    /// - Throws: `SardonyxError` for attributes or shapes that the operator cannot take.
    static func infer(_ context: inout InferenceContext) throws

    /// Makes the kernel for concrete shapes.
    static func prepare(_ context: PreparationContext) throws -> Kernel

    /// Computes the outputs as new values, nil for those that nobody wants.
    static func evaluate(_ context: EvaluationContext) throws -> [Datum?]

    /// Worked examples, for `checkExamples`.
    static var examples: [Example] { get }
}

extension CustomOperator {
    /// Plans are made of kernels.
    public static var isDynamic: Bool { false }
    /// No examples.
    public static var examples: [Example] { [] }

    /// Operators that are not dynamic have one of their own.
    public static func prepare(_ context: PreparationContext) throws -> Kernel {
        throw SardonyxError(.unsupported, "\(schema.qualifiedName) has no kernel")
    }

    /// Dynamic operators have one of their own.
    public static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        throw SardonyxError(.unsupported, "\(schema.qualifiedName) makes kernels")
    }

    /// Runs every example, for a test.
    /// - Throws: what the operator throws, or `SardonyxError` (`invalidValue`) with the example's title and the first
    ///   difference.
    public static func checkExamples() throws { try CustomAdapter<Self>.checkExamples() }
}

/// A custom operator as the engine sees it.
private enum CustomAdapter<Custom: CustomOperator>: Operator {
    static var schema: Schema { Custom.schema }
    static var execution: Execution { Custom.isDynamic ? .dynamic : .planned }
    static var examples: [Example] { Custom.examples }

    static func infer(_ context: inout InferenceContext) throws { try Custom.infer(&context) }
    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let kernel = try Custom.prepare(context)
        // What shares memory must be there and of the same size.
        let shared =
            kernel.views.map { ($0.key, $0.value) }
            + kernel.inPlace.flatMap { output, inputs in inputs.map { (output, $0) } }
        for (output, input) in shared {
            guard context.wants(output), context.has(input),
                try context.output(output).byteCount == context.input(input).byteCount
            else {
                throw SardonyxError(
                    .invalidModel, "the kernel has output \(output) in the memory of input \(input), which does not fit"
                )
            }
        }
        return kernel
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        guard Custom.isDynamic else {
            // A kernel may have kept a constant that `prepare` saw.
            var context = context
            context.lastReads = []
            return try evaluatePlanned(context)
        }
        let results = try Custom.evaluate(context)
        guard results.count >= context.node.outputs.count else {
            throw SardonyxError(
                .invalidValue,
                "the operator gave \(results.count) outputs; the node wants \(context.node.outputs.count)")
        }
        for (index, result) in results.enumerated() {
            guard case .tensor(let tensor)? = result else { continue }
            let parameter = schema.outputs.isEmpty ? nil : schema.outputs[min(index, schema.outputs.count - 1)]
            guard parameter?.types.contains(tensor.dataType) ?? false else {
                throw SardonyxError(
                    .invalidValue, "output \(index) is \(tensor.dataType.name), which its schema does not allow")
            }
        }
        return results
    }
}

extension OperatorRegistry {
    /// The domains that only Sardonyx's own operators stand in.
    private static let reservedDomains: Set<String> = [
        "", "ai.onnx", "ai.onnx.ml", "ai.onnx.preview.training", "sardonyx",
    ]

    /// This registry and a user's operators.
    /// - Throws: `SardonyxError` (`invalidOption`) for a domain that is not the user's own, or a name that is taken.
    package func with(_ operators: [any CustomOperator.Type]) throws(SardonyxError) -> OperatorRegistry {
        var known = self
        for type in operators {
            let schema = type.schema
            guard !Self.reservedDomains.contains(schema.domain) else {
                throw SardonyxError(
                    .invalidOption,
                    "operator '\(schema.name)' is of domain '\(schema.domain)'; it needs a domain of its own")
            }
            guard known.add(Self.adapted(type)) else {
                throw SardonyxError(.invalidOption, "there are two operators '\(schema.qualifiedName)'")
            }
        }
        return known
    }

    private static func adapted<Custom: CustomOperator>(_ type: Custom.Type) -> any Operator.Type {
        CustomAdapter<Custom>.self
    }
}
