import Glibc

/// Debian's T1 head (mricron-data), 181×217×181 voxels of 1 mm, and the same without its skull.
package let ch2 = "/usr/share/mricron/templates/ch2.nii.gz"
package let ch2bet = "/usr/share/mricron/templates/ch2bet.nii.gz"

package func fileExists(_ path: String) -> Bool { access(path, R_OK) == 0 }

package func isClose(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-5) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
}
