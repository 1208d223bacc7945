import SardonyxGraph

extension InferenceContext {
    /// Output 0 as a shape: `combine` of the elements of all inputs, when the inputs are known as shapes.
    mutating func combineElements(_ combine: ([Dimension]) -> Dimension) {
        guard !outputElements.isEmpty, outputs[0].dataType.map({ $0.isInteger || $0 == .bool }) ?? false,
            let rank = outputs[0].shape?.count, rank <= 1
        else { return }
        var operands: [SymbolicShape] = []
        for index in inputs.indices {
            guard let elements = elements(index) else { return }
            operands.append(elements)
        }
        let count = operands.contains { $0.isEmpty } ? 0 : operands.map(\.count).max() ?? 0
        guard operands.allSatisfy({ $0.count == 1 || $0.count == count }) else { return }
        outputElements[0] = (0..<count).map { index in combine(operands.map { $0.count == 1 ? $0[0] : $0[index] }) }
    }
}

extension Dimension {
    /// Whether two extents are equal, as 0 or 1, when that can be told. Extents are never negative.
    func isEqual(to other: Dimension) -> Dimension {
        switch (self, other) {
        case (.fixed(let a), .fixed(let b)): .fixed(a == b ? 1 : 0)
        case (.symbol(let a), .symbol(let b)) where a == b: .fixed(1)
        case (.symbol, .fixed(..<0)), (.fixed(..<0), .symbol): .fixed(0)
        default: .unknown
        }
    }
}
