import SardonyxGraph

extension Derivation {
    /// The position in a sequence that an input names, counted from the start; nil when it names none.
    func position(_ input: Int, in sequence: Term) throws -> Term? {
        guard let given = optionalInput(input) else { return nil }
        let length = try sequence.apply("SequenceLength")
        let position = try given.converted(to: length)
        return try position.isLess(than: 0).choose(position + length, else: position)
    }
}
