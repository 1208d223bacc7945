import SardonyxImaging

/// The arguments of a component; what is read is crossed off, what is left is a problem.
struct MONAIArguments {
    let component: MONAIComponent
    private let reader: TreeReader
    private var known: Set<String> = []
    /// The keys that it works on; arguments may have a value for each.
    private let keys: [String]?
    /// The key whose arguments are read.
    private let key: String

    init(_ component: MONAIComponent, _ reader: TreeReader, key: String = "") {
        self.component = component
        self.reader = reader
        self.key = key
        keys = component.texts("keys")
        ignore(["keys", "allow_missing_keys", "lazy", "dtype", "meta_keys", "meta_key_postfix", "overwrite"])
    }

    private func path(_ argument: String) -> String { "\(component.path).\(argument)" }

    /// Whether the transform changes the values of its key; what only copies to or from it is named as unsupported, as
    /// are keys that are not known.
    ///
    /// - Parameter others: the keys of other values; `nil` where all that are written out are.
    func isForKey(others: Set<String>? = nil) -> Bool {
        // MONAI builds no transform without keys: what else is there is named as if it were for this one.
        guard let keys, !keys.contains(key) else { return true }
        let uses = component.arguments.compactMap(\.key.text).contains {
            $0 != "keys" && component.texts($0)?.contains(key) == true
        }
        let unknown = keys.first { "$@%".contains($0.first ?? "$") || others?.contains($0) == false }
        if uses || unknown != nil {
            reader.add(
                component["keys"] ?? component.tree, path("keys"),
                "\(component.name) of '\(unknown ?? keys.first ?? "")' beside '\(key)' is not supported",
                "write it for '\(key)', or remove it if the result does not need it")
        }
        return false
    }

    /// An argument, or its element for the key where there is one for each.
    private mutating func value(_ argument: String, isList: Bool = false) -> Tree? {
        known.insert(argument)
        guard let tree = component[argument] else { return nil }
        guard !isList, let list = tree.list, let first = list.first else { return tree }
        if let keys, keys.count == list.count, let place = keys.firstIndex(of: key) {
            return list[place].isNull ? nil : list[place]
        }
        return list.allSatisfy { $0.text == first.text } ? first : tree
    }

    /// A type's name, which may be code; empty where it is missing or None.
    mutating func type(_ argument: String) -> String { value(argument)?.text ?? "" }

    private mutating func read<T>(_ argument: String, _ expected: String, _ read: (Tree) -> T?) -> T? {
        guard let tree = value(argument) else { return nil }
        if let value = read(tree) { return value }
        wrong(tree, argument, expected)
        return nil
    }

    private func wrong(_ tree: Tree, _ argument: String, _ expected: String) {
        if let text = tree.text, let first = text.first, "$@%".contains(first) {
            reader.add(
                tree, path(argument), "\(tree.found) is code, or leads nowhere",
                "write its value (\(expected)) into the configuration")
        } else {
            reader.add(tree, path(argument), "\(tree.found) was found, \(expected) was expected")
        }
    }

    mutating func number(_ argument: String) -> Double? { read(argument, "a number", \.number) }
    mutating func integer(_ argument: String) -> Int? { read(argument, "a whole number", \.integer) }

    /// Also Python's spelling; any text in quotes is true there, the zoo's is "True".
    mutating func flag(_ argument: String) -> Bool? {
        read(argument, "true or false") { tree in
            switch tree.content {
            case .scalar("True", _): true
            case .scalar("False", isPlain: true): false
            default: tree.flag
            }
        }
    }

    mutating func text(_ argument: String) -> String? {
        read(argument, "text", { $0.text?.first == "$" ? nil : $0.text })
    }

    /// One number, also where it stands once for each axis.
    mutating func same(_ argument: String) -> Double? { read(argument, "one number for all axes", \.number) }

    /// A list of whole numbers.
    mutating func integers(_ argument: String) -> [Int]? {
        numbers(argument)?.map { abs($0) < 1e9 ? Int($0.rounded()) : 0 }
    }

    /// A list of numbers; one number is a list of one.
    mutating func numbers(_ argument: String) -> [Double]? {
        guard let tree = value(argument, isList: true) else { return nil }
        let values = tree.list?.compactMap(\.number) ?? tree.number.map { [$0] } ?? []
        if !values.isEmpty, values.count == tree.list?.count ?? 1 { return values }
        wrong(tree, argument, "a list of numbers")
        return nil
    }

    /// Nearest, linear or cubic by MONAI's many names.
    mutating func interpolation(_ argument: String, or standard: Interpolation?) -> Interpolation? {
        guard let mode = text(argument) else { return standard }
        switch mode.lowercased() {
        case "bilinear", "trilinear", "linear", "1": return .linear
        case "nearest-exact", "nearest", "0": return .nearest
        case "3": if let cubic = Interpolation(rawValue: "cubic") { return cubic }
        default: break
        }
        unsupported(argument)
        return nil
    }

    mutating func has(_ argument: String) -> Bool { value(argument) != nil }

    /// Whether an argument stands there as None.
    func isNull(_ argument: String) -> Bool {
        component.arguments.contains { $0.key.text == argument } && component[argument] == nil
    }

    /// Names an argument's value as unsupported.
    mutating func unsupported(_ argument: String, _ what: String? = nil, _ remedy: String = "") {
        known.insert(argument)
        let tree = component[argument] ?? component.tree
        reader.add(
            tree, path(argument), "\(what ?? "\(argument) \(tree.found)") in \(component.name) is not supported", remedy
        )
    }

    func missing(_ argument: String) {
        reader.add(component.tree, path(argument), "the argument is missing, or no value")
    }

    mutating func ignore(_ arguments: [String]) { known.formUnion(arguments) }
    mutating func ignoreRest() { ignore(component.arguments.compactMap(\.key.text)) }

    /// Names the arguments that nobody asked for.
    func close() {
        for (key, value) in component.arguments
        where !known.contains(key.text ?? "") && !value.isNull {
            reader.add(
                key, path(key.text ?? ""), "\(key.text ?? "") \(value.found) in \(component.name) is not supported",
                "remove it if it does not matter here")
        }
    }
}
