extension NIfTIHeader {
    /// Chooses the affine: s-form, else q-form, else spacing, in mm.
    ///
    /// - Parameters:
    ///   - quaternion: b, c, d, offsets x, y, z, and pixdim[0], whose sign is the handedness.
    ///   - srows: the three rows of the s-form.
    mutating func readAffine(quaternion: inout [Double], srows: inout [[Double]]) throws {
        let unscaled: Affine
        if sformCode > 0 {
            affineSource = .sform
            let rows = srows.map { SIMD4($0[0], $0[1], $0[2], $0[3]) }
            unscaled = Affine(rows[0], rows[1], rows[2])
            guard unscaled.isInvertible else {
                throw ImagingError(
                    .badGeometry, problem: "the s-form places no voxels (it is singular or not finite)",
                    remedy: "repair srow_x, srow_y and srow_z, or set sform_code to 0 if the q-form is right")
            }
        } else {
            let spacing = try checkedSpacing()
            if qformCode > 0 {
                affineSource = .qform
                unscaled = try qform(quaternion, spacing)
            } else {
                affineSource = .spacing
                let middle = SIMD3(Double(size(0) - 1), Double(size(1) - 1), Double(size(2) - 1)) / 2
                let signed = spacing * SIMD3(-1, 1, 1)
                unscaled = Affine(spacing: signed, origin: -middle * signed)
            }
        }
        let u = millimetresPerUnit
        affine = Affine(unscaled.x * u, unscaled.y * u, unscaled.z * u)
    }

    private func checkedSpacing() throws -> SIMD3<Double> {
        var spacing = SIMD3<Double>(1, 1, 1)
        for axis in 0..<3 {
            let value = abs(pixelDimensions[axis])
            // Writers of 2D images leave 0 for the axis that is not there.
            if size(axis) == 1, !(value > 0 && value.isFinite) { continue }
            guard value > 0, value.isFinite else {
                throw ImagingError(
                    .badGeometry,
                    problem: "pixdim[\(axis + 1)] is \(Format.short(pixelDimensions[axis])), "
                        + "expected a spacing above 0",
                    remedy: "repair the header")
            }
            spacing[axis] = value
        }
        return spacing
    }

    /// Method 2: x = R(b, c, d) · diag(spacing) · (i, j, qfac · k) + offset.
    private func qform(_ q: [Double], _ spacing: SIMD3<Double>) throws -> Affine {
        var (b, c, d) = (q[0], q[1], q[2])
        var square = b * b + c * c + d * d
        guard q[0..<6].allSatisfy(\.isFinite), square < 1.001 else {
            throw ImagingError(
                .badGeometry, problem: "the q-form is no rotation (b, c, d = \(b), \(c), \(d))",
                remedy: "repair the quaternion, or set qform_code to 0 and give an s-form")
        }
        if square > 1 {
            // Single precision at a half turn: normalise, the real part is 0.
            let length = square.squareRoot()
            (b, c, d) = (b / length, c / length, d / length)
            square = 1
        }
        let a = (1 - square).squareRoot()
        let flip = q[6] < 0 ? -1.0 : 1.0
        let i = SIMD3(a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c)) * spacing.x
        let j = SIMD3(2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b)) * spacing.y
        let k = SIMD3(2 * (b * d + a * c), 2 * (c * d - a * b), a * a + d * d - b * b - c * c) * (spacing.z * flip)
        return Affine(columns: i, j, k, origin: SIMD3(q[3], q[4], q[5]))
    }
}
