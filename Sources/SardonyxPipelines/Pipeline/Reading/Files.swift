#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a pipeline needs of the file system.
enum Files {
    enum Kind { case file, folder, other }

    /// `nil` where nothing is; symbolic links are followed.
    static func kind(_ path: String) -> Kind? {
        var status = stat()
        guard !path.utf8.contains(0), stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    static func names(in folder: String) -> [String] { folderNames(folder) ?? [] }

    /// Why a path is no file in the folder; `nil` where it is one. Symbolic links may not lead out.
    static func whyNoModel(_ path: String, in folder: String) -> String? {
        if let why = Pipeline.whyOutside(path) { return "'\(path)' \(why)" }
        let whole = join(folder, path)
        switch kind(whole) {
        case nil: return "there is no file '\(path)'"
        case .file?: break
        default: return "'\(path)' is not a file"
        }
        guard let real = resolved(whole), let home = resolved(folder),
            real.hasPrefix(home == "/" ? "/" : home + "/")
        else { return "'\(path)' is a symbolic link that leaves the folder" }
        return nil
    }

    /// The one model in these folders of a folder: model.onnx in the first that has it, or the only .onnx file of all.
    static func model(in folder: String, among places: [String], path: String) throws -> String {
        if whyNoModel("model.onnx", in: folder) == nil { return join(folder, "model.onnx") }
        let models = places.flatMap { place in
            names(in: join(folder, place)).filter { $0.lowercased().hasSuffix(".onnx") }
                .map { place.isEmpty ? $0 : "\(place)/\($0)" }
        }
        guard models.count == 1 else {
            throw PipelineError(
                path: path, field: "model",
                models.isEmpty
                    ? "there is no ONNX model beside it"
                    : "there are \(models.count) models: \(models.joined(separator: ", "))",
                remedy: models.isEmpty
                    ? "export the network as model.onnx into the folder"
                    : "name the one to use model.onnx and put it into the folder")
        }
        if let why = whyNoModel(models[0], in: folder) { throw PipelineError(path: path, field: "model", why) }
        return join(folder, models[0])
    }

    private static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : name.isEmpty ? folder : folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }

    static func trimmed(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// "." for a bare name.
    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// A folder's own name, also of ".".
    static func name(_ folder: String) -> String {
        let path = resolved(folder) ?? folder
        return path.split(separator: "/").last.map(String.init) ?? path
    }
}
