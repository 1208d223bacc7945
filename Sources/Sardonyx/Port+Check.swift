import SardonyxGraph

extension Port {
    /// Checks a value against what the model takes.
    /// - Parameter symbols: the extents that named dimensions have taken in this run.
    func check(_ value: Datum, symbols: inout [String: (extent: Int, input: String)]) throws(SardonyxError) {
        switch (type, value) {
        case (.sequence, .sequence), (.map, .map), (.sparseTensor, .tensor): break
        // An optional takes the value itself too; tensors are checked below.
        case (.optional, _), (.tensor, _), (.unknown, _): break
        default:
            throw SardonyxError(.invalidInput, "input '\(name)' must be \(typeDescription)")
        }
        guard case .tensor(let expected, _) = type else { return }
        guard case .tensor(let tensor) = value else {
            throw SardonyxError(.invalidInput, "input '\(name)' must be a tensor: \(typeDescription)")
        }
        guard tensor.dataType == expected else {
            throw SardonyxError(
                .invalidInput, "input '\(name)' must have the type \(expected.name); it has \(tensor.dataType.name)")
        }
        try check(shape: tensor.shape, symbols: &symbols)
    }

    /// Checks a tensor's shape against what the model takes.
    /// - Parameter symbols: as above.
    func check(
        shape extents: [Int], symbols: inout [String: (extent: Int, input: String)]
    ) throws(SardonyxError) {
        guard let shape else { return }
        func mismatch(_ reason: String) -> SardonyxError {
            SardonyxError(
                .invalidInput, "input '\(name)' must have the shape \(shape.text); it has \(extents)\(reason)")
        }
        guard extents.count == shape.count else { throw mismatch("") }
        for (extent, dimension) in zip(extents, shape) {
            switch dimension {
            case .fixed(let value):
                if value != extent { throw mismatch("") }
            case .symbol(let symbol):
                if let known = symbols[symbol], known.extent != extent {
                    throw mismatch(", and '\(symbol)' is \(known.extent) in input '\(known.input)'")
                }
                symbols[symbol] = (extent, name)
            case .unknown: break
            }
        }
    }
}
