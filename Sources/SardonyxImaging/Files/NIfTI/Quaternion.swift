/// The rotation of an affine without shear, as NIfTI's q-form stores it.
struct Quaternion {
    var b = 0.0, c = 0.0, d = 0.0
    /// −1 for left-handed grids, else 1.
    var qfac = 1.0

    /// `nil` when the voxel axes are not at right angles.
    init?(_ affine: Affine) {
        let s = affine.spacing
        let (i, j) = (affine.column(0) / s.x, affine.column(1) / s.y)
        qfac = affine.determinant < 0 ? -1 : 1
        let k = affine.column(2) / (s.z * qfac)
        for (u, v) in [(i, j), (j, k), (k, i)] where abs((u * v).sum()) > 1e-5 { return nil }
        // The largest of the four parts is the well-conditioned one to start from.
        let squares = [
            1 + i.x + j.y + k.z, 1 + i.x - j.y - k.z, 1 - i.x + j.y - k.z, 1 - i.x - j.y + k.z,
        ]
        var a: Double
        if squares[0] > 0.5 {
            a = squares[0].squareRoot() / 2
            (b, c, d) = ((j.z - k.y) / (4 * a), (k.x - i.z) / (4 * a), (i.y - j.x) / (4 * a))
        } else if squares[1] >= squares[2], squares[1] >= squares[3] {
            b = squares[1].squareRoot() / 2
            (a, c, d) = ((j.z - k.y) / (4 * b), (j.x + i.y) / (4 * b), (k.x + i.z) / (4 * b))
        } else if squares[2] >= squares[3] {
            c = squares[2].squareRoot() / 2
            (a, b, d) = ((k.x - i.z) / (4 * c), (j.x + i.y) / (4 * c), (k.y + j.z) / (4 * c))
        } else {
            d = squares[3].squareRoot() / 2
            (a, b, c) = ((i.y - j.x) / (4 * d), (k.x + i.z) / (4 * d), (k.y + j.z) / (4 * d))
        }
        if a < 0 { (b, c, d) = (-b, -c, -d) }
        if abs(a) < 1e-6 { roundToHalfTurn() }
    }
}

extension Quaternion {
    /// Makes b, c, d such that, in single precision, their squares do not add up to less than 1.
    ///
    /// Readers compute the real part as √(1 − b² − c² − d²): a shortfall of one rounding (6e-8) would turn a half turn
    /// by 5e-4.
    private mutating func roundToHalfTurn() {
        var parts = [Float(b), Float(c), Float(d)]
        let most = parts.indices.max { abs(parts[$0]) < abs(parts[$1]) }!
        func square() -> Double { parts.reduce(0) { $0 + Double($1) * Double($1) } }
        while square() < 1 { parts[most] = parts[most] < 0 ? parts[most].nextDown : parts[most].nextUp }
        (b, c, d) = (Double(parts[0]), Double(parts[1]), Double(parts[2]))
    }
}
