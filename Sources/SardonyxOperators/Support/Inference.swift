import SardonyxGraph

extension InferenceContext {
    /// Output 0 has the first input's type and shape.
    mutating func passThrough() throws {
        set(0, try dataType(0), shape(0))
    }

    /// Output 0 has the broadcast shape of all inputs.
    mutating func broadcastAll(as type: DataType? = nil) throws {
        var result: SymbolicShape? = []
        for index in inputs.indices where has(index) {
            guard let shape = shape(index), let so = result else {
                result = nil
                continue
            }
            result = try broadcast(so, shape)
        }
        set(0, try type ?? dataType(0), result)
    }

    /// Refuses another rank than the operator takes.
    func requireRank(_ input: Int, _ range: ClosedRange<Int>, _ name: String) throws {
        guard let rank = rank(input) else { return }
        guard range.contains(rank) else {
            let expected = range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
            throw SardonyxError(
                .invalidModel, "\(name) must have \(expected) axes; it has \(rank): \(shape(input)!.text)")
        }
    }
}
