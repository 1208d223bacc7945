/// A node made ready for concrete shapes: the code, and what the memory planner needs to know.
public struct Kernel: Sendable {
    /// Scratch memory for one run, in bytes; not cleared, aligned to 64 bytes.
    public var workspaceByteCount = 0
    /// Output → input: the output is the input's bytes under another shape, nothing needs to run.
    public var views: [Int: Int] = [:]
    /// Output → the part of an input that it is a copy of. Where the plan lets both share memory, `run` is not given the
    /// output.
    package var parts: [Int: Part] = [:]
    /// Input → the byte of output 0 where its copy begins. Where the plan has the input made there, `run` is not given it.
    package var places: [Int: Int] = [:]
    /// Output → inputs that it may overwrite, element by element, when nothing reads them afterwards. A value that is given
    /// for several inputs is only overwritten where all of them are listed.
    public var inPlace: [Int: [Int]] = [:]
    /// Inputs whose bytes `prepare` has taken in (packed weights, axes) and that a run does not read.
    package var absorbedInputs: Set<Int> = []
    /// Packed weights that the kernel holds; other kernels may hold them too.
    package var packedWeights: [TensorStorage] = []
    /// How it is computed, where the operator has several ways, for profiles and the plan's hash.
    package var algorithm = ""
    /// Multiply-adds of one run, for profiles.
    public var multiplyAdds = 0
    package private(set) var run: @Sendable (Frame) throws -> Void
    /// Whether `run` may fail, and what it has overwritten by then is lost.
    package private(set) var canFail: Bool

    /// Bytes of an input, as many as an output has.
    package struct Part: Sendable, Hashable {
        package var input: Int
        package var byteOffset: Int

        package init(input: Int, byteOffset: Int) {
            self.input = input
            self.byteOffset = byteOffset
        }
    }

    /// A kernel whose code is `run`; everything else is as for a kernel that takes and gives plain tensors.
    public init<Failure: Error>(run: @escaping @Sendable (Frame) throws(Failure) -> Void) {
        self.run = run
        canFail = Failure.self != Never.self
    }

    /// The same kernel with other code.
    package mutating func replaceRun<Failure: Error>(
        with run: @escaping @Sendable (Frame) throws(Failure) -> Void
    ) {
        self.run = run
        canFail = Failure.self != Never.self
    }

    /// Whether every wanted output is a view, so that nothing needs to run.
    package func isView(of outputs: [Bool]) -> Bool {
        outputs.indices.allSatisfy { !outputs[$0] || views[$0] != nil }
    }

    /// The first output is the first input under another shape.
    public static var view: Kernel {
        var kernel = Kernel { _ in }
        kernel.views = [0: 0]
        return kernel
    }
}

/// The memory of one step of one run.
public struct Frame {
    @usableFromInline package let inputs: UnsafePointer<UnsafeRawPointer?>
    @usableFromInline package let outputs: UnsafePointer<UnsafeMutableRawPointer?>
    /// Scratch memory, `Kernel.workspaceByteCount` bytes of it; nil for none.
    public let workspace: UnsafeMutableRawPointer?
    /// The worker pool (`sdx_pool` of CKernels); nil runs everything on the calling thread.
    package let pool: OpaquePointer?

    package init(
        inputs: UnsafePointer<UnsafeRawPointer?>, outputs: UnsafePointer<UnsafeMutableRawPointer?>,
        workspace: UnsafeMutableRawPointer?, pool: OpaquePointer?
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.workspace = workspace
        self.pool = pool
    }

    /// The elements of an input that is present.
    @inlinable @inline(__always)
    public func input<T>(_ index: Int, as type: T.Type = T.self) -> UnsafePointer<T> {
        // SAFETY: the executor binds every input the kernel has not absorbed, aligned, with the planned size.
        inputs[index].unsafelyUnwrapped.assumingMemoryBound(to: T.self)
    }

    /// The elements of an input that may be omitted; nil where it is.
    @inlinable @inline(__always)
    public func optionalInput<T>(_ index: Int, as type: T.Type = T.self) -> UnsafePointer<T>? {
        inputs[index]?.assumingMemoryBound(to: T.self)
    }

    /// The elements of an output. Kernels of operators with optional outputs use `optionalOutput`.
    @inlinable @inline(__always)
    public func output<T>(_ index: Int, as type: T.Type = T.self) -> UnsafeMutablePointer<T> {
        // SAFETY: the executor binds every wanted output, aligned, with the planned size.
        outputs[index].unsafelyUnwrapped.assumingMemoryBound(to: T.self)
    }

    /// The elements of an output that nobody may want; nil where nobody does.
    @inlinable @inline(__always)
    public func optionalOutput<T>(_ index: Int, as type: T.Type = T.self) -> UnsafeMutablePointer<T>? {
        outputs[index]?.assumingMemoryBound(to: T.self)
    }
}

/// What an operator's `prepare` sees: concrete types and shapes, and the values of constant inputs.
public struct PreparationContext {
    /// The node, with its attributes.
    public let node: Node
    /// nil for an omitted input.
    package let inputs: [TensorSpec?]
    /// nil for an output that nobody wants.
    package let outputs: [TensorSpec?]
    /// The constant inputs' values; nil for inputs that come at run time. May be unaligned (a mapped file).
    package let constants: [Tensor?]
    /// How many threads may run chunks at once: for workspaces that each worker needs of its own.
    public let workers: Int
    /// Weights packed once and shared by all plans of a session.
    package let packedWeights: PackedWeights
    /// The identities of constant inputs, for `packedWeights`.
    package let inputValues: [ConstantID?]
    /// What decides between kernels.
    package let policy: KernelPolicy

    package init(
        node: Node, inputs: [TensorSpec?], outputs: [TensorSpec?], constants: [Tensor?], workers: Int,
        packedWeights: PackedWeights, inputValues: [ConstantID?] = [], policy: KernelPolicy = KernelPolicy()
    ) {
        self.policy = policy
        self.node = node
        self.inputs = inputs
        self.outputs = outputs
        self.constants = constants
        self.workers = workers
        self.packedWeights = packedWeights
        // Without identities nothing is shared, and every index is valid all the same.
        self.inputValues = inputValues.isEmpty ? [ConstantID?](repeating: nil, count: inputs.count) : inputValues
    }

    /// Whether the node has the input.
    public func has(_ input: Int) -> Bool { input < inputs.count && inputs[input] != nil }

    /// An input that the schema requires.
    public func input(_ index: Int) throws(SardonyxError) -> TensorSpec {
        guard has(index), let spec = inputs[index] else {
            throw SardonyxError(.invalidModel, "input \(index) is missing")
        }
        return spec
    }

    /// An output of a concrete shape.
    public func output(_ index: Int) throws(SardonyxError) -> TensorSpec {
        guard index < outputs.count, let spec = outputs[index] else {
            throw SardonyxError(.invalidModel, "output \(index) is missing")
        }
        return spec
    }

    /// Whether anybody reads the output.
    public func wants(_ output: Int) -> Bool { output < outputs.count && outputs[output] != nil }

    /// An input's value, when it is constant; nil for inputs that come at run time.
    public func constant(_ index: Int) -> Tensor? { index < constants.count ? constants[index] : nil }

    /// What `make` makes of the node's attributes, made once for all plans of a session while one of them keeps it.
    package func derived<Value: Sendable>(_ make: () throws -> Value) throws -> Derived<Value> {
        try packedWeights.derived(node, make)
    }

    /// The elements of an integer input that has to be constant for a plan.
    public func integers(_ index: Int) throws(SardonyxError) -> [Int]? {
        guard has(index) else { return nil }
        guard let values = constant(index)?.integers else {
            throw SardonyxError(.unsupported, "input \(index) must be a constant of integers here")
        }
        return values
    }
}
