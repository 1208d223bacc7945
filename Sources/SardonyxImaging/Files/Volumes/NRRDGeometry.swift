/// What an NRRD file's axes count and where they lead.
///
/// A file without a named space is taken as LPS, as ITK does, and so are spaces that do not tell sides.
struct NRRDGeometry {
    private(set) var roles: [VolumeLayout.Role] = []
    private(set) var affine = Affine.identity
    private(set) var isColour = false
    private(set) var frameDuration = 0.0

    init(_ header: NRRDHeader, sizes: [Int]) throws {
        let count = sizes.count
        let (signs, spaceDimension) = try NRRDGeometry.space(header)
        let vectors = try NRRDGeometry.vectors(header, "spacedirections", spaceDimension, count)
        let spacings = try NRRDGeometry.values(header, "spacings", count)
        let kinds = try NRRDGeometry.list(header, "kinds", count)?.map { $0.lowercased() }
        let units = NRRDGeometry.quoted(header.fields["units"])
        let firstSpace = vectors?.firstIndex { NRRDGeometry.isSpatial($0) } ?? 0
        for axis in 0..<count {
            let kind = kinds?[axis] ?? ""
            let vector = vectors.flatMap { $0[axis] }
            if NRRDGeometry.isTime(vector) {
                roles.append(.frame)
            } else {
                let isSpatial = vectors.map { NRRDGeometry.isSpatial($0[axis]) }
                roles.append(NRRDGeometry.role(kind, isSpatial, isBeforeSpace: axis < firstSpace))
            }
            if kind.hasSuffix("-color"), kind != "hsv-color", kind != "xyz-color", [3, 4].contains(sizes[axis]) {
                isColour = true
            }
        }
        // What is left of the space's axes past the third counts frames.
        let spatial = roles.indices.filter { roles[$0] == .space }.prefix(3)
        let lengths = NRRDGeometry.quoted(header.fields["spaceunits"]).map(Unit.millimetres)
        if let vectors {
            let units = (0..<3).map { $0 < lengths.count ? lengths[$0] : 1 }
            let unit = SIMD3(units[0], units[1], units[2])
            let axes = spatial.map { NRRDGeometry.first3(vectors[$0] ?? []) * unit }
            let origin = try NRRDGeometry.vectors(header, "spaceorigin", spaceDimension, 1)?[0] ?? [0, 0, 0]
            affine = Affine(axes: axes, origin: NRRDGeometry.first3(origin) * unit).flipped(signs)
        } else {
            try placeBySpacing(header, Array(spatial), spacings, units, signs)
        }
        if let time = roles.firstIndex(of: .frame) {
            var duration = (spacings?[time] ?? 0) * (time < units.count ? Unit.seconds(units[time]) : 0)
            if let vector = vectors.flatMap({ $0[time] }), NRRDGeometry.isTime(vector) { duration = vector[3] }
            frameDuration = duration > 0 && duration.isFinite ? duration : 0
        }
    }

    private mutating func placeBySpacing(
        _ header: NRRDHeader, _ spatial: [Int], _ spacings: [Double]?, _ units: [String], _ signs: SIMD3<Double>
    ) throws {
        let count = roles.count
        let minima = try NRRDGeometry.values(header, "axismins", count)
        let centers = try NRRDGeometry.list(header, "centers", count) ?? NRRDGeometry.list(header, "centerings", count)
        var (axes, origin) = ([SIMD3<Double>](), SIMD3<Double>.zero)
        for (n, axis) in spatial.enumerated() {
            let unit = axis < units.count ? Unit.millimetres(units[axis]) : 1
            let stated = spacings?[axis]
            // "nan" stands for "not known".
            let spacing = (stated.map { $0.isNaN ? 1 : $0 } ?? 1) * unit
            var step = SIMD3<Double>.zero
            step[n] = spacing
            axes.append(step)
            // The minimum is the first voxel's outer face, or its centre where samples sit on nodes.
            if let minimum = minima?[axis], minimum.isFinite, stated?.isFinite == true {
                origin[n] = minimum * unit + (centers?[axis].lowercased() == "node" ? 0 : spacing / 2)
            }
        }
        affine = Affine(axes: axes, origin: origin).flipped(signs)
    }

    private static func role(_ kind: String, _ isSpatial: Bool?, isBeforeSpace: Bool) -> VolumeLayout.Role {
        let domain = ["domain", "space", "time", "", "???", "none"]
        if isSpatial == true { return .space }
        if !domain.contains(kind) { return .component }
        if kind == "time" { return .frame }
        if isSpatial == nil { return .space }
        return isBeforeSpace ? .component : .frame
    }

    /// The signs that lead from the header's space to RAS+, and the space's dimensions where they are known.
    private static func space(_ header: NRRDHeader) throws -> (signs: SIMD3<Double>, dimension: Int?) {
        guard var name = header.fields["space"]?.lowercased() else {
            let dimension = header.fields["spacedimension"].flatMap { Int($0) }
            return (Affine.fromLPS, dimension)
        }
        var dimension = 3
        if name.hasSuffix("-time") { (name, dimension) = (String(name.dropLast(5)), 4) }
        if ["rast", "last", "lpst"].contains(name) { (name, dimension) = (String(name.dropLast()), 4) }
        switch name {
        case "right-anterior-superior", "ras": return (SIMD3(1, 1, 1), dimension)
        case "left-anterior-superior", "las": return (SIMD3(-1, 1, 1), dimension)
        case "left-posterior-superior", "lps", "scanner-xyz", "3d-right-handed", "3d-left-handed":
            return (Affine.fromLPS, dimension)
        default: throw header.bad("space '\(header.fields["space"] ?? "")' is none of the format's")
        }
    }

    private static func isSpatial(_ vector: [Double]?) -> Bool {
        vector != nil && !isTime(vector)
    }

    /// Of a space with time, the axis that leads through time alone.
    private static func isTime(_ vector: [Double]?) -> Bool {
        guard let vector, vector.count == 4 else { return false }
        return vector[3] != 0 && vector[..<3].allSatisfy { $0 == 0 }
    }

    private static func first3(_ vector: [Double]) -> SIMD3<Double> {
        var result = SIMD3<Double>.zero
        for n in 0..<min(3, vector.count) { result[n] = vector[n] }
        return result
    }

    /// "(1,0,0) none (0, 1, 0)".
    private static func vectors(
        _ header: NRRDHeader, _ name: String, _ dimension: Int?, _ count: Int
    ) throws -> [[Double]?]? {
        guard let text = header.fields[name] else { return nil }
        var vectors: [[Double]?] = []
        var rest = Substring(text)
        while let first = rest.first, vectors.count <= count {
            if first == " " || first == "\t" {
                rest = rest.dropFirst()
            } else if rest.prefix(4).lowercased() == "none" {
                vectors.append(nil)
                rest = rest.dropFirst(4)
            } else if first == "(", let close = rest.firstIndex(of: ")") {
                let parts = rest[rest.index(after: rest.startIndex)..<close].split(separator: ",")
                let numbers = parts.compactMap { Double(TextHeader.trimmed($0)) }
                guard numbers.count == parts.count, numbers.count == dimension ?? numbers.count else {
                    throw header.bad("\(name) has '\(rest[...close])', expected \(dimension ?? 3) numbers")
                }
                vectors.append(numbers)
                rest = rest[rest.index(after: close)...]
            } else {
                throw header.bad("\(name) is '\(text.prefix(100))', expected vectors such as (1,0,0)")
            }
        }
        guard vectors.count == count else {
            throw header.bad("\(name) is '\(text.prefix(100))', expected \(count) vectors")
        }
        return vectors
    }

    private static func list(_ header: NRRDHeader, _ name: String, _ count: Int) throws -> [String]? {
        guard let text = header.fields[name] else { return nil }
        let words = TextHeader.words(text)
        guard words.count == count else { throw header.bad("\(name) has \(words.count) entries, expected \(count)") }
        return words
    }

    private static func values(_ header: NRRDHeader, _ name: String, _ count: Int) throws -> [Double]? {
        try list(header, name, count)?.map { word in
            guard let value = Double(word) else { throw header.bad("\(name) has '\(word)', expected a number") }
            return value
        }
    }

    /// The texts between quotation marks.
    private static func quoted(_ text: String?) -> [String] {
        (text ?? "").split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
}
