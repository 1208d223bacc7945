/// The header of a MetaImage, in front of its data (.mha) or beside it (.mhd): its fields, and what they come down to.
struct MetaImageHeader {
    let path: String
    private(set) var fields: [String: String] = [:]
    /// Byte behind the header.
    private var end: UInt64 = 0
    /// The lines behind "ElementDataFile = LIST".
    private var list: [String] = []

    /// True for the first line of a header, as far as `start` shows it.
    static func recognise(_ start: [UInt8]) -> Bool {
        guard let equals = start.firstIndex(of: UInt8(ascii: "=")) else { return false }
        let key = TextHeader.trimmed(Substring(String(decoding: start[..<equals], as: UTF8.self)))
        return ["ObjectType", "NDims", "Comment", "ObjectSubType", "TransformType", "Name", "ID"].contains(key)
    }

    /// - Throws: `ImagingError` without a path: `.unknownFormat`, `.badHeader`.
    init(contentsOf path: String) throws {
        self.path = path
        let reader = try LineReader(path)
        var isFirst = true
        while fields["ElementDataFile"] == nil, let line = try reader.line() {
            if line.isEmpty { continue }
            guard let equals = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
                throw ImagingError(
                    isFirst ? .unknownFormat : .badHeader,
                    problem: "the line '\(line.prefix(60))' has no '=', as the lines of a MetaImage's header have",
                    remedy: "copy the file again or convert it to NIfTI")
            }
            isFirst = false
            let name = TextHeader.trimmed(line[..<equals])
            guard fields.updateValue(TextHeader.trimmed(line[line.index(after: equals)...]), forKey: name) == nil
            else { throw bad("the field '\(name)' is there twice") }
        }
        end = reader.position
        if TextHeader.words(fields["ElementDataFile"] ?? "").first == "LIST" {
            list = try reader.rest(most: VolumeLayout.mostPieces)
        }
    }

    private func bad(_ problem: String) -> ImagingError {
        ImagingError(.badHeader, problem: problem, remedy: "repair the header")
    }

    private func needed(_ name: String) throws -> String {
        guard let value = fields[name], !value.isEmpty else { throw bad("there is no field '\(name)'") }
        return value
    }

    /// The first of `names` that is there, as `count` finite numbers.
    private func numbers(_ names: [String], _ count: Int) throws -> [Double]? {
        guard let name = names.first(where: { fields[$0] != nil }), let text = fields[name] else { return nil }
        guard let values = TextHeader.numbers(text), values.count == count, values.allSatisfy(\.isFinite) else {
            throw bad("\(name) is '\(text.prefix(100))', expected \(count) numbers")
        }
        return values
    }

    private func isTrue(_ name: String) -> Bool { ["t", "T", "1"].contains(fields[name]?.prefix(1) ?? "") }

    /// Where the values lie, in the file and in the patient.
    ///
    /// - Throws: `ImagingError` without a path.
    func layout() throws -> VolumeLayout {
        if let kind = fields["ObjectType"], kind != "Image" {
            throw ImagingError(
                .unsupported, problem: "it holds an object of type '\(kind)', expected Image", remedy: "name an image")
        }
        guard let dimension = Int(try needed("NDims")), (1...10).contains(dimension) else {
            throw bad("NDims is '\(try needed("NDims"))', expected 1 to 10")
        }
        guard let sizes = TextHeader.integers(try needed("DimSize")), sizes.count == dimension else {
            throw bad("DimSize is '\(try needed("DimSize"))', expected \(dimension) whole numbers")
        }
        guard let channels = Int(fields["ElementNumberOfChannels"] ?? "1"), channels > 0 else {
            throw bad("ElementNumberOfChannels is '\(fields["ElementNumberOfChannels"] ?? "")', expected 1 or more")
        }
        let typeName = try needed("ElementType")
        let base = typeName.hasSuffix("_ARRAY") ? String(typeName.dropLast(6)) : typeName
        guard let type = MetaImageHeader.types[base] else {
            throw ImagingError(
                .unsupported, problem: "voxels of type '\(typeName)' cannot be read",
                remedy: "convert them to MET_FLOAT")
        }
        let axes = [(channels, .component)] + sizes.map { ($0, VolumeLayout.Role.space) }
        var layout = try VolumeLayout(path, axes: axes, type: type)
        try placeInPatient(&layout, dimension)
        layout.isColour = type == .uint8 && (channels == 3 || channels == 4)
        let isMSB = ["ElementByteOrderMSB", "BinaryDataByteOrderMSB"].first { fields[$0] != nil }.map(isTrue) ?? false
        let isText = fields["BinaryData"] != nil && !isTrue("BinaryData")
        layout.encoding = isText ? .text : isTrue("CompressedData") ? .deflate : .raw
        layout.isLittleEndian = isText || !isMSB
        let slope = try numbers(["ElementToIntensityFunctionSlope"], 1)?[0] ?? 1
        let intercept = try numbers(["ElementToIntensityFunctionOffset"], 1)?[0] ?? 0
        if slope != 0, slope != 1 || intercept != 0 { layout.scaling = (slope, intercept) }
        try placeInFiles(&layout, [channels] + sizes)
        return layout
    }

    private func placeInPatient(_ layout: inout VolumeLayout, _ dimension: Int) throws {
        let spacing =
            try numbers(["ElementSpacing", "ElementSize"], dimension) ?? [Double](repeating: 1, count: dimension)
        let origin =
            try numbers(["Offset", "Origin", "Position"], dimension) ?? [Double](repeating: 0, count: dimension)
        let matrix = try numbers(["TransformMatrix", "Rotation", "Orientation"], dimension * dimension)
        let unit = Unit.millimetres(fields["DistanceUnits"] ?? "mm")
        var axes: [SIMD3<Double>] = []
        var first = SIMD3<Double>.zero
        for axis in 0..<min(3, dimension) {
            var step = SIMD3<Double>.zero
            for n in 0..<min(3, dimension) {
                // A row of the matrix is the direction of one axis.
                step[n] = (matrix?[axis * dimension + n] ?? (axis == n ? 1 : 0)) * spacing[axis] * unit
            }
            axes.append(step)
            first[axis] = origin[axis] * unit
        }
        layout.affine = Affine(axes: axes, origin: first).flipped(Affine.fromLPS)
        if dimension > 3, spacing[3] > 0 { layout.frameDuration = spacing[3] }
    }

    private func placeInFiles(_ layout: inout VolumeLayout, _ axes: [Int]) throws {
        guard let header = Int(fields["HeaderSize"] ?? "0"), header >= -1 else {
            throw bad("HeaderSize is '\(fields["HeaderSize"] ?? "")', expected -1 or more")
        }
        guard header == 0 || layout.encoding == .raw else {
            throw ImagingError(
                .unsupported, problem: "HeaderSize \(header) goes with raw data only", remedy: "save the image again")
        }
        let skip = header < 0 ? nil : UInt64(header)
        let file = try needed("ElementDataFile")
        let words = TextHeader.words(file)
        if file == "LOCAL" || file == "Local" || file == "local" {
            layout.pieces = [.init(path: path, start: end, skip: skip)]
            return
        }
        var names = [file]
        if words[0] == "LIST" {
            names = list
        } else if words.count >= 3, words[0].contains("%"),
            let range = TextHeader.integers(words[1...].joined(separator: " "))
        {
            names = try TextHeader.names(
                words[0], from: range[0], to: range[1], by: range.count > 2 ? range[2] : 1,
                most: VolumeLayout.mostPieces)
        }
        let paths = try names.map { try TextHeader.path(of: $0, beside: path) }
        try layout.divide(over: paths, axes: axes, skip: skip)
    }

    private static let types: [String: VoxelType] = [
        "MET_CHAR": .int8, "MET_UCHAR": .uint8, "MET_SHORT": .int16, "MET_USHORT": .uint16, "MET_INT": .int32,
        "MET_UINT": .uint32, "MET_LONG": .int32, "MET_ULONG": .uint32, "MET_LONG_LONG": .int64,
        "MET_ULONG_LONG": .uint64, "MET_FLOAT": .float32, "MET_DOUBLE": .float64,
    ]
}
