import SardonyxGraph

/// Numbers that a node draws: those that numpy's `RandomState` gives for the node's seed, or ones that nobody knows.
struct RandomNumbers {
    private var generator: MersenneTwister
    private var spare: Double?

    /// The node's `seed`, a float whose fraction does not count; without it every run has its own.
    init(_ node: Node) {
        let seed = node.float("seed").flatMap { Int64(exactly: $0.rounded(.towardZero)) }
        generator = MersenneTwister(
            seed: seed.map { UInt32(truncatingIfNeeded: $0) } ?? UInt32.random(in: 0 ... .max))
    }

    /// In [0, 1).
    mutating func uniform() -> Double { generator.nextUniform() }

    /// Of mean 0 and standard deviation 1, by the polar method, which makes two numbers at once.
    mutating func normal() -> Double {
        if let spare {
            self.spare = nil
            return spare
        }
        while true {
            let x = 2 * uniform() - 1
            let y = 2 * uniform() - 1
            let square = x * x + y * y
            if square >= 1 || square == 0 { continue }
            let factor = (-2 * Double.log(square) / square).squareRoot()
            spare = factor * x
            return factor * y
        }
    }
}

/// A tensor of random numbers: the four operators differ in the distribution, and in where the shape comes from.
protocol RandomFill: Operator {
    static func draw(_ numbers: inout RandomNumbers, _ node: Node) -> Double
}

extension RandomFill {
    static var execution: Execution { .random }

    /// The output's type: `dtype`, or else what the operator takes for it.
    static func outputType(_ node: Node, default type: DataType?) throws(SardonyxError) -> DataType {
        guard let type = try node.dataType("dtype") ?? type, TypeSet.floats.contains(type) else {
            throw SardonyxError(.invalidModel, "'dtype' must be a floating-point type")
        }
        return type
    }

    static func fill(_ context: EvaluationContext, _ type: DataType, _ shape: [Int]) throws -> [Datum?] {
        var result = try context.environment.allocate(.double, shape)
        let count = result.count
        var numbers = RandomNumbers(context.node)
        try result.withUnsafeMutableBytes { bytes in
            let target = bytes.bindMemory(to: Double.self)
            for i in 0..<count { target[i] = draw(&numbers, context.node) }
        }
        return [.tensor(try result.converted(to: type))]
    }

    // MARK: A shape of its own

    static func inferFromAttribute(_ context: inout InferenceContext) throws {
        context.set(0, try outputType(context.node, default: .float), SymbolicShape(try ownShape(context.node)))
    }

    static func ownShape(_ node: Node) throws -> [Int] {
        guard let shape = node.ints("shape"), shape.checkedElementCount != nil else {
            throw SardonyxError(.invalidModel, "'shape' is \(node.ints("shape") ?? []), which is no shape of a tensor")
        }
        return shape
    }

    // MARK: An input's shape

    static func inferFromInput(_ context: inout InferenceContext) throws {
        if context.node.attributes["dtype"] == nil, context.knownDataType(0) == nil { return }
        context.set(0, try outputType(context.node, default: context.knownDataType(0)), context.shape(0))
    }

    static func fillLikeInput(_ context: EvaluationContext) throws -> [Datum?] {
        let input = try context.tensor(0)
        return try fill(context, try outputType(context.node, default: input.dataType), input.shape)
    }
}

/// y = scale · n + mean with n normally distributed.
protocol NormalFill: RandomFill {}

extension NormalFill {
    static var parameters: [AttributeSpec] {
        [
            AttributeSpec("dtype", .int), AttributeSpec("seed", .float), AttributeSpec("scale", .float),
            AttributeSpec("mean", .float),
        ]
    }

    static func draw(_ numbers: inout RandomNumbers, _ node: Node) -> Double {
        numbers.normal() * Double(node.float("scale", default: 1)) + Double(node.float("mean", default: 0))
    }
}

/// y = low + (high - low) · u with u uniform in [0, 1).
protocol UniformFill: RandomFill {}

extension UniformFill {
    static var parameters: [AttributeSpec] {
        [
            AttributeSpec("dtype", .int), AttributeSpec("seed", .float), AttributeSpec("high", .float),
            AttributeSpec("low", .float),
        ]
    }

    static func draw(_ numbers: inout RandomNumbers, _ node: Node) -> Double {
        let low = Double(node.float("low", default: 0))
        return numbers.uniform() * (Double(node.float("high", default: 1)) - low) + low
    }
}
