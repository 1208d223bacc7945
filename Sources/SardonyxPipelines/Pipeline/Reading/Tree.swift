import Yams

/// YAML or JSON as read, with the place of every value: mappings, lists and scalars, nothing else.
struct Tree: Sendable {
    indirect enum Content: Sendable {
        /// `isPlain` for what is not in quotes.
        case scalar(String, isPlain: Bool)
        case list([Tree])
        /// In the file's order; keys are different.
        case map([(key: Tree, value: Tree)])
    }

    var content: Content
    /// From 1.
    var line: Int
    /// From 1.
    var column: Int
    /// The file that it stands in.
    var path: String

    /// Another value in the same place.
    func with(_ content: Content) -> Tree {
        var tree = self
        tree.content = content
        return tree
    }

    /// Longer texts are refused: a pipeline has a few kilobytes, a large bundle fifty.
    static let mostBytes = 1_000_000
    /// Deeper texts are refused: a pipeline has five levels, plans of nnU-Net ten.
    static let mostLevels = 40

    /// Reads a text.
    ///
    /// - Throws: `PipelineError` for what is not one document of YAML, and for aliases, deep nesting and keys that
    ///   repeat.
    init(yaml text: String, path: String) throws {
        func fail(_ line: Int, _ column: Int, _ problem: String, _ remedy: String = "") -> PipelineError {
            PipelineError(
                path: path,
                problems: [.init(line: line, column: column, field: "", problem: problem, remedy: remedy)])
        }
        guard text.utf8.count <= Tree.mostBytes else {
            throw fail(1, 1, "it has \(text.utf8.count) bytes, more than \(Tree.mostBytes)", "check the file")
        }
        // Aliases inside keys would be multiplied out while keys are compared; a handful cannot do harm, and is refused
        // below with its place.
        guard Tree.aliases(in: text) <= 8 else {
            throw fail(1, 1, "it holds aliases ('*name')", "write values out where they are used")
        }
        do {
            // Scalars are told apart here, so no tags need to be found out.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            // Nodes hold their anchors weakly; the parser keeps them.
            self = try withExtendedLifetime(parser) {
                guard let root = try parser.singleRoot() else { throw fail(1, 1, "it is empty", "add its fields") }
                return try Tree(root, path: path, level: 1, fail: fail)
            }
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                throw fail(
                    mark.line, mark.column, "this is not YAML: \(problem)", "check indentation, quotes and brackets")
            case .duplicatedKeysInMapping(let keys, let context):
                throw fail(
                    context.mark.line, context.mark.column,
                    "more than one field is called \(keys.map { "'\($0)'" }.joined(separator: ", "))",
                    "keep one of them")
            default: throw fail(1, 1, "this is not YAML text", "check that it is UTF-8 without control characters")
            }
        }
    }

    private init(_ node: Node, path: String, level: Int, fail: (Int, Int, String, String) -> PipelineError) throws {
        self.path = path
        line = node.mark?.line ?? 1
        column = node.mark?.column ?? 1
        guard node.anchor == nil else {
            throw fail(line, column, "anchors and aliases are not read", "write the value out where it is used")
        }
        guard level <= Tree.mostLevels else {
            throw fail(
                line, column, "more than \(Tree.mostLevels) levels stand inside each other", "check the brackets")
        }
        switch node {
        case .scalar(let scalar): content = .scalar(scalar.string, isPlain: scalar.style == .plain)
        case .sequence(let list):
            content = .list(try list.map { try Tree($0, path: path, level: level + 1, fail: fail) })
        case .mapping(let map):
            content = .map(
                try map.map { key, value in
                    let key = try Tree(key, path: path, level: level + 1, fail: fail)
                    guard case .scalar = key.content else {
                        throw fail(key.line, key.column, "a field's name is one word", "check the brackets")
                    }
                    return (key, try Tree(value, path: path, level: level + 1, fail: fail))
                })
        case .alias:
            throw fail(line, column, "anchors and aliases are not read", "write the value out where it is used")
        }
    }

    /// Words that would be aliases where they stand outside quotes and comments.
    private static func aliases(in text: String) -> Int {
        var count = 0
        var before: UInt8 = 0x0A
        var isStar = false
        for byte in text.utf8 {
            if isStar, byte > 0x20 { count += 1 }
            isStar = byte == UInt8(ascii: "*") && (before <= 0x20 || "[{,:-?".utf8.contains(before))
            before = byte
        }
        return count
    }
}

extension Tree {
    /// "null", "~" and nothing at all.
    var isNull: Bool {
        if case .scalar(let text, true) = content { return ["", "~", "null"].contains(text) }
        return false
    }

    /// A scalar's text, quoted or not.
    var text: String? {
        if case .scalar(let text, _) = content, !isNull { return text }
        return nil
    }

    /// `true` or `false` without quotes.
    var flag: Bool? {
        guard case .scalar(let text, true) = content else { return nil }
        return text == "true" ? true : text == "false" ? false : nil
    }

    /// A number without quotes; `.inf` and `-.inf` too, no NaN.
    var number: Double? {
        guard case .scalar(let text, true) = content else { return nil }
        return Tree.number(text)
    }

    /// A whole number without quotes.
    var integer: Int? {
        guard let number, abs(number) < 9e15, number == number.rounded() else { return nil }
        return Int(number)
    }

    /// A list's elements.
    var list: [Tree]? {
        if case .list(let trees) = content { return trees }
        return nil
    }

    /// A mapping's fields.
    var map: [(key: Tree, value: Tree)]? {
        if case .map(let pairs) = content { return pairs }
        return nil
    }

    /// A mapping's value; `nil` where there is none, or null.
    subscript(key: String) -> Tree? {
        map?.first { $0.key.text == key }.flatMap { $0.value.isNull ? nil : $0.value }
    }

    static func number(_ text: String) -> Double? {
        switch text {
        case ".inf", "+.inf": return .infinity
        case "-.inf": return -.infinity
        default:
            // `Double` reads "nan", "infinity" and hexadecimal too.
            guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let value = Double(text),
                value.isFinite
            else { return nil }
            return value
        }
    }

    /// What it is, for messages: "'abc'", "a list", "a mapping", "nothing".
    var found: String {
        switch content {
        case .scalar(let text, let isPlain):
            if isNull { return "nothing" }
            let short = text.count > 60 ? "\(text.prefix(57))…" : text
            return isPlain ? short : "'\(short)'"
        case .list(let trees): return "a list of \(trees.count)"
        case .map: return "a mapping"
        }
    }
}
