import SardonyxGraph

/// An equation of Einsum: the labels of each operand's axes and of the output's.
struct EinsumEquation: Sendable, Hashable {
    /// A letter, or an axis of the ellipsis, counted from the last.
    enum Label: Sendable, Hashable {
        case letter(Unicode.Scalar)
        case ellipsis(Int)
    }

    private enum Item: Hashable {
        case letter(Unicode.Scalar)
        case ellipsis
    }

    let operands: [[Label]]
    let output: [Label]

    /// - Throws: `SardonyxError` (`invalidModel`) when the text is no equation for operands of these ranks.
    init(_ text: String, ranks: [Int]) throws(SardonyxError) {
        let sides = try Self.sides(text)
        let terms = sides.input
        guard terms.count == ranks.count else {
            throw SardonyxError(
                .invalidModel, "the equation '\(text)' has \(terms.count) terms; there are \(ranks.count) inputs")
        }
        var operands: [[Label]] = []
        var ellipsisRank = 0
        for (index, term) in terms.enumerated() {
            let letters = term.count { $0 != .ellipsis }
            let hidden = ranks[index] - letters
            guard term.contains(.ellipsis) ? hidden >= 0 : hidden == 0 else {
                throw SardonyxError(
                    .invalidModel, "term \(index) of '\(text)' does not fit an input of \(ranks[index]) axes")
            }
            if term.contains(.ellipsis) { ellipsisRank = max(ellipsisRank, hidden) }
            operands.append(Self.labels(term, ellipsisRank: hidden))
        }
        self.operands = operands
        let known = Set(operands.joined())
        if let result = sides.output {
            output = Self.labels(result, ellipsisRank: ellipsisRank)
            guard Set(output).count == output.count, known.isSuperset(of: output) else {
                throw SardonyxError(
                    .invalidModel, "the output of '\(text)' repeats a letter, or has one that no input has")
            }
        } else {
            var counts: [Unicode.Scalar: Int] = [:]
            for case .letter(let letter) in terms.joined() { counts[letter, default: 0] += 1 }
            let single = counts.filter { $0.value == 1 }.keys.sorted()
            output = Self.labels([.ellipsis], ellipsisRank: ellipsisRank) + single.map(Label.letter)
        }
    }

    private static func labels(_ term: [Item], ellipsisRank: Int) -> [Label] {
        term.flatMap { item -> [Label] in
            switch item {
            case .letter(let letter): [.letter(letter)]
            case .ellipsis: (0..<ellipsisRank).reversed().map(Label.ellipsis)
            }
        }
    }

    private static func sides(_ text: String) throws(SardonyxError) -> (input: [[Item]], output: [Item]?) {
        var terms: [[Item]] = [[]]
        var output: [Item]?
        var rest = Substring(text).unicodeScalars
        func add(_ item: Item) throws(SardonyxError) {
            let term = output ?? terms[terms.count - 1]
            if item == .ellipsis, term.contains(.ellipsis) {
                throw SardonyxError(.invalidModel, "a term of the equation '\(text)' has two ellipses")
            }
            if output != nil { output?.append(item) } else { terms[terms.count - 1].append(item) }
        }
        while let scalar = rest.popFirst() {
            switch scalar {
            case " ": continue
            case "a"..."z", "A"..."Z": try add(.letter(scalar))
            case "," where output == nil: terms.append([])
            case "-" where output == nil && rest.first == ">":
                rest.removeFirst()
                output = []
            case "." where rest.starts(with: "..".unicodeScalars):
                rest.removeFirst(2)
                try add(.ellipsis)
            default: throw SardonyxError(.invalidModel, "the equation '\(text)' has an unexpected '\(scalar)'")
            }
        }
        return (terms, output)
    }

    /// The extents of all labels; operands' axes of extent 1 broadcast.
    func extents(_ shapes: [SymbolicShape]) throws(SardonyxError) -> [Label: Dimension] {
        var result: [Label: Dimension] = [:]
        for (labels, shape) in zip(operands, shapes) {
            for (label, extent) in zip(labels, shape) {
                guard let known = result[label] else {
                    result[label] = extent
                    continue
                }
                result[label] = try broadcast([known], [extent])[0]
            }
        }
        return result
    }

    /// The equation that gives an operand's gradient from the output's and the other operands, in this order; and the operand's
    /// axes that it leaves out because nothing else has their labels.
    /// - Returns: also the pairs of axes whose labels are the same: the equation takes an identity matrix for each, after the
    ///   other operands.
    func gradient(
        of operand: Int
    ) throws(SardonyxError) -> (text: String, missing: [Int], repeats: [(first: Int, again: Int)]) {
        let own = operands[operand]
        var firsts: [Label: Int] = [:]
        var repeats: [(first: Int, again: Int)] = []
        for (axis, label) in own.enumerated() {
            if let first = firsts[label] { repeats.append((first, axis)) } else { firsts[label] = axis }
        }
        let others = [output] + operands.indices.filter { $0 != operand }.map { operands[$0] }
        let terms = others + repeats.map { [own[$0.first]] }
        let known = Set(terms.joined())
        var names: [Label: Unicode.Scalar] = [:]
        let letters = (0..<52).compactMap { Unicode.Scalar(UInt32($0 < 26 ? 97 + $0 : 39 + $0)) }
        for label in terms.joined() where names[label] == nil {
            guard names.count < letters.count else {
                throw SardonyxError(.unsupported, "the derivative needs more letters than there are")
            }
            names[label] = letters[names.count]
        }
        guard names.count + repeats.count <= letters.count else {
            throw SardonyxError(.unsupported, "the derivative needs more letters than there are")
        }
        let fresh = Dictionary(
            uniqueKeysWithValues: repeats.enumerated().map { ($1.again, letters[names.count + $0]) })
        func text(_ scalars: [Unicode.Scalar]) -> String {
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            return String(text)
        }
        let inputs =
            others.map { text($0.compactMap { names[$0] }) }
            + repeats.map { text([names[own[$0.first]], fresh[$0.again]].compactMap { $0 }) }
        let result = text(own.enumerated().compactMap { fresh[$0] ?? names[$1] })
        return (
            inputs.joined(separator: ",") + "->" + result, own.indices.filter { !known.contains(own[$0]) }, repeats
        )
    }
}
