/// The header of an NRRD file (versions 1 to 5), attached to its data (.nrrd) or beside it (.nhdr): its fields, and
/// what they come down to.
struct NRRDHeader {
    let path: String
    /// By their names in lower case without blanks: "spacedirections".
    private(set) var fields: [String: String] = [:]
    /// Byte behind the header.
    private var end: UInt64 = 0
    /// The lines behind "data file: LIST".
    private var list: [String] = []

    /// - Throws: `ImagingError` without a path: `.unknownFormat`, `.badHeader`, `.unsupported`.
    init(contentsOf path: String) throws {
        self.path = path
        let reader = try LineReader(path)
        let magic = try reader.line() ?? ""
        guard magic.hasPrefix("NRRD000"), ["1", "2", "3", "4", "5"].contains(magic.dropFirst(7)) else {
            throw ImagingError(
                .unknownFormat, problem: "it does not begin with NRRD0001 to NRRD0005", remedy: "convert it to NIfTI")
        }
        while let line = try reader.line(), !line.isEmpty {
            if line.hasPrefix("#") { continue }
            guard let colon = line.firstIndex(of: ":") else {
                throw bad("the line '\(line.prefix(60))' has no colon")
            }
            let rest = line[line.index(after: colon)...]
            // "key:=value" is for people.
            if rest.hasPrefix("=") { continue }
            let name = String(line[..<colon].lowercased().filter { $0 != " " })
            guard fields.updateValue(TextHeader.trimmed(rest), forKey: name) == nil else {
                throw bad("the field '\(line[..<colon])' is there twice")
            }
            if name == "datafile", fields[name]!.hasPrefix("LIST") {
                list = try reader.rest(most: VolumeLayout.mostPieces)
            }
        }
        end = reader.position
    }

    func bad(_ problem: String, remedy: String = "repair the header") -> ImagingError {
        ImagingError(.badHeader, problem: problem, remedy: remedy)
    }

    /// A field that there must be.
    private func needed(_ name: String) throws -> String {
        guard let value = fields[name], !value.isEmpty else { throw bad("there is no field '\(name)'") }
        return value
    }

    /// Where the values lie, in the file and in the patient.
    ///
    /// - Throws: `ImagingError` without a path.
    func layout() throws -> VolumeLayout {
        guard let dimension = Int(try needed("dimension")), (1...16).contains(dimension) else {
            throw bad("dimension is '\(try needed("dimension"))', expected 1 to 16")
        }
        guard let sizes = TextHeader.integers(try needed("sizes")), sizes.count == dimension else {
            throw bad("sizes are '\(try needed("sizes"))', expected \(dimension) whole numbers")
        }
        let typeName = try needed("type")
        guard let type = NRRDHeader.types[typeName.lowercased().filter { $0 != " " }] else {
            throw ImagingError(
                .unsupported, problem: "voxels of type '\(typeName)' cannot be read", remedy: "convert them to float")
        }
        let geometry = try NRRDGeometry(self, sizes: sizes)
        var layout = try VolumeLayout(path, axes: Array(zip(sizes, geometry.roles)), type: type)
        (layout.affine, layout.isColour) = (geometry.affine, geometry.isColour)
        layout.frameDuration = geometry.frameDuration
        layout.encoding = try encoding()
        switch (fields["endian"]?.lowercased(), layout.encoding) {
        case ("little", _), (_, .text): layout.isLittleEndian = true
        case ("big", _): layout.isLittleEndian = false
        case (nil, _) where type.bytes == 1: layout.isLittleEndian = true
        default:
            throw bad("endian is '\(fields["endian"] ?? "")', expected little or big", remedy: "add 'endian: little'")
        }
        try place(&layout, sizes)
        return layout
    }

    private func encoding() throws -> VolumeLayout.Encoding {
        let name = try needed("encoding")
        switch name.lowercased() {
        case "raw": return .raw
        case "gzip", "gz": return .deflate
        case "txt", "text", "ascii": return .text
        case "hex": return .hex
        default:
            throw ImagingError(
                .unsupported, problem: "data of encoding '\(name)' cannot be read", remedy: "save it again as gzip")
        }
    }

    /// Says in which files the values are.
    private func place(_ layout: inout VolumeLayout, _ sizes: [Int]) throws {
        let lines = try count("lineskip", from: 0)
        let bytes = try count("byteskip", from: -1)
        guard bytes >= 0 || layout.encoding == .raw else {
            throw bad("byte skip -1 goes with raw data only", remedy: "save it again without")
        }
        let skip = bytes < 0 ? nil : UInt64(bytes)
        guard let file = fields["datafile"] else {
            layout.pieces = [.init(path: path, start: end, lines: lines, skip: skip)]
            return
        }
        var names = [file]
        let words = TextHeader.words(file)
        if file.hasPrefix("LIST") {
            names = list
        } else if words.count >= 4, words[0].contains("%"),
            let range = TextHeader.integers(words[1...].joined(separator: " "))
        {
            names = try TextHeader.names(
                words[0], from: range[0], to: range[1], by: range[2], most: VolumeLayout.mostPieces)
        }
        let paths = try names.map { try TextHeader.path(of: $0, beside: path) }
        try layout.divide(over: paths, axes: sizes, lines: lines, skip: skip)
    }

    private func count(_ name: String, from least: Int) throws -> Int {
        guard let text = fields[name] else { return 0 }
        guard let value = Int(text), value >= least else { throw bad("\(name) is '\(text)', expected a whole number") }
        return value
    }

    /// By their names in lower case without blanks.
    private static let types: [String: VoxelType] = {
        var types: [String: VoxelType] = ["float": .float32, "double": .float64]
        let names: [(VoxelType, [String])] = [
            (.int8, ["signedchar", "int8", "int8_t"]), (.uint8, ["uchar", "unsignedchar", "uint8", "uint8_t"]),
            (.int16, ["short", "shortint", "signedshort", "signedshortint", "int16", "int16_t"]),
            (.uint16, ["ushort", "unsignedshort", "unsignedshortint", "uint16", "uint16_t"]),
            (.int32, ["int", "signedint", "int32", "int32_t"]),
            (.uint32, ["uint", "unsignedint", "uint32", "uint32_t"]),
            (.int64, ["longlong", "longlongint", "signedlonglong", "signedlonglongint", "int64", "int64_t"]),
            (.uint64, ["ulonglong", "unsignedlonglong", "unsignedlonglongint", "uint64", "uint64_t"]),
        ]
        for (type, names) in names { for name in names { types[name] = type } }
        return types
    }()
}
