import SardonyxGraph

/// y = the bits of x, read as elements of the type `to`, which has as many bits.
///
/// <https://onnx.ai/onnx/operators/onnx__BitCast.html>
enum BitCast: Operator {
    private static let types: TypeSet = .float8s + .subBytes + .numbers + [.bool, .complex64, .complex128]

    static let schema = Schema(
        "BitCast", versions: [26], inputs: [Parameter("input", "T1", types)],
        outputs: [Parameter("output", "T2", types)], attributes: [AttributeSpec("to", .int, required: true)])

    static func infer(_ context: inout InferenceContext) throws {
        let source = try context.dataType(0)
        guard let target = try context.node.dataType("to"), types.contains(target),
            target.fileBitCount == source.fileBitCount
        else {
            throw SardonyxError(
                .invalidModel, "attribute 'to' must name a type of \(source.fileBitCount) bits, as \(source.name) has")
        }
        context.set(0, target, context.shape(0))
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let target = try context.output(0).dataType
        let spare = 8 - min(8, target.fileBitCount)
        guard spare > 0 else { return .view }
        // Elements of less than a byte are sign-extended in memory where they are signed.
        let isSigned = target == .int4 || target == .int2
        let table = (0...255).map { byte -> UInt8 in
            let high = UInt8(byte) << spare
            return isSigned ? UInt8(bitPattern: Int8(bitPattern: high) >> spare) : high >> spare
        }
        let count = try context.input(0).elementCount
        var kernel = Kernel { frame in
            ByteLookup(x: frame.input(0), y: frame.output(0), table: table).run(count: count, on: frame.pool)
        }
        kernel.inPlace = [0: [0]]
        return kernel
    }

    static let examples = [
        Example(
            "a float's bits", attributes: ["to": .int(6)], inputs: [Tensor(shape: [2], scalars: [1, -0.0] as [Float])],
            outputs: [Tensor(shape: [2], scalars: [0x3F80_0000, .min] as [Int32])])
    ]
}
