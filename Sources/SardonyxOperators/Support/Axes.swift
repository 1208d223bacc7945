import SardonyxGraph

/// Non-negative axes below `rank`, in the order given, from ones that may count from the end.
/// - Throws: `SardonyxError` (`invalidModel`) when one is out of range or given twice.
func normalizedAxes(_ axes: [Int], rank: Int, _ what: String = "axes") throws(SardonyxError) -> [Int] {
    var result: [Int] = []
    result.reserveCapacity(axes.count)
    var seen = [Bool](repeating: false, count: rank)
    for axis in axes {
        let axis = try normalizedAxis(axis, rank: rank, what)
        if seen[axis] { throw SardonyxError(.invalidModel, "\(what) \(axes) name axis \(axis) twice") }
        seen[axis] = true
        result.append(axis)
    }
    return result
}

extension Dimension {
    /// What two statements about one extent say together.
    /// - Throws: `SardonyxError` (`invalidModel`) when both are numbers and they differ.
    func agreeing(with other: Dimension, _ what: @autoclosure () -> String) throws(SardonyxError) -> Dimension {
        switch (self, other) {
        case (.fixed(let a), .fixed(let b)):
            if a != b { throw SardonyxError(.invalidModel, "\(what()): \(a) and \(b)") }
            return self
        case (.fixed, _): return self
        case (_, .fixed), (.unknown, _): return other
        default: return self
        }
    }

    /// A symbol for what a function of dimensions and numbers gives; equal texts stand for equal extents.
    static func formula(_ text: String) -> Dimension {
        text.utf8.count > 120 || text.contains("?") ? .unknown : .symbol(text)
    }
}

extension InferenceContext {
    /// The elements of an integer input, when all of them are known.
    func knownIntegers(_ input: Int) -> [Int]? { integers(input) ?? elements(input)?.fixed }

    /// Extents of `rank` axes of which nothing is known.
    func unknownShape(_ rank: Int?) -> SymbolicShape? {
        rank.flatMap { (0...64).contains($0) ? SymbolicShape(repeating: .unknown, count: $0) : nil }
    }
}
