/// Reads what a MONAI configuration writes as Python but is a plain value: numbers, strings, True, False, None, lists,
/// references, `not x` and `a if x else b`. Everything else is code, and gives `nil`.
struct PythonValue {
    private var rest: Substring
    private let place: Tree
    private let reference: (String) -> Tree?
    private var depth = 0

    /// - Parameters:
    ///   - text: without the `$`.
    ///   - place: where it stands.
    ///   - reference: the value of `@name`, name without the `@`.
    static func read(_ text: String, at place: Tree, reference: @escaping (String) -> Tree?) -> Tree? {
        var reader = PythonValue(rest: text[...], place: place, reference: reference)
        guard let value = reader.expression() else { return nil }
        reader.skipSpace()
        return reader.rest.isEmpty ? value : nil
    }

    private init(rest: Substring, place: Tree, reference: @escaping (String) -> Tree?) {
        self.rest = rest
        self.place = place
        self.reference = reference
    }

    private mutating func skipSpace() { rest = rest.drop { $0 == " " } }

    private mutating func take(_ text: String) -> Bool {
        skipSpace()
        guard rest.hasPrefix(text) else { return false }
        rest = rest.dropFirst(text.count)
        return true
    }

    /// A word, and not the beginning of a longer one.
    private mutating func take(word: String) -> Bool {
        skipSpace()
        guard rest.hasPrefix(word) else { return false }
        let after = rest.dropFirst(word.count)
        if let next = after.first, next.isLetter || next.isNumber || next == "_" || next == "." { return false }
        rest = after
        return true
    }

    private func plain(_ text: String) -> Tree { place.with(.scalar(text, isPlain: true)) }

    private mutating func expression() -> Tree? {
        depth += 1
        defer { depth -= 1 }
        guard depth < 20, let value = term() else { return nil }
        guard take(word: "if") else { return value }
        guard let condition = term()?.flag, take(word: "else"), let other = expression() else { return nil }
        return condition ? value : other
    }

    private mutating func term() -> Tree? {
        depth += 1
        defer { depth -= 1 }
        guard depth < 20 else { return nil }
        if take(word: "not") { return term()?.flag.map { plain($0 ? "false" : "true") } }
        for (word, value) in [("True", "true"), ("False", "false"), ("None", "null")] where take(word: word) {
            return plain(value)
        }
        for (open, close) in [("[", "]"), ("(", ")")] where take(open) { return list(until: close) }
        if take("@") {
            let name = rest.prefix { $0.isLetter || $0.isNumber || "_#:".contains($0) }
            rest = rest.dropFirst(name.count)
            return reference(String(name))
        }
        for quote in ["'", "\""] where take(quote) {
            guard let end = rest.firstIndex(of: Character(quote)), !rest[..<end].contains("\\") else { return nil }
            defer { rest = rest[rest.index(after: end)...] }
            return place.with(.scalar(String(rest[..<end]), isPlain: false))
        }
        let number = rest.prefix { $0.isNumber || "+-.eE".contains($0) }
        guard Tree.number(String(number)) != nil else { return nil }
        rest = rest.dropFirst(number.count)
        return plain(String(number))
    }

    /// A list or tuple, or one value in parentheses.
    private mutating func list(until close: String) -> Tree? {
        var values: [Tree] = []
        var isTuple = close == "]"
        while !take(close) {
            guard let value = expression() else { return nil }
            values.append(value)
            if take(",") {
                isTuple = true
            } else if !take(close) {
                return nil
            } else {
                break
            }
        }
        return isTuple || values.isEmpty ? place.with(.list(values)) : values[0]
    }
}
