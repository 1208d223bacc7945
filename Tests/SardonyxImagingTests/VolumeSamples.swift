@testable import SardonyxImaging

/// Files that other libraries wrote: 3×4×2 voxels of value 7i + 31j + 101k + 5·frame + 3·component, less 100 where the
/// type has a sign, and 0.5 more where it is a floating-point type; on the grid of `Sample.affine`.
struct Sample: Sendable, CustomStringConvertible {
    /// What wrote it.
    let call: String
    /// Names and contents in base64; the first is the header.
    let files: [(name: String, base64: String)]
    let frames: Int
    let components: Int
    let kind: Character
    var description: String { files[0].name }

    /// Writes the files; returns the header's path.
    func write(to folder: Folder) throws -> String {
        for file in files { _ = try folder.write(fromBase64(file.base64), file.name, gzip: false) }
        return folder.path + "/" + files[0].name
    }

    func value(_ i: Int, _ j: Int, _ k: Int, frame: Int, component: Int) -> Float {
        let value = Float(7 * i + 31 * j + 101 * k + 5 * frame + 3 * component)
        return value - (kind == "u" ? 0 : 100) + (kind == "f" ? 0.5 : 0)
    }

    /// The values of a box, i fastest.
    func values(_ box: VoxelBox, frame: Int, component: Int) -> [Float] {
        (box.lower.z..<box.upper.z).flatMap { k in
            (box.lower.y..<box.upper.y).flatMap { j in
                (box.lower.x..<box.upper.x).map { value($0, j, k, frame: frame, component: component) }
            }
        }
    }

    static let affine: [Double] = [
        -0.6687355423879241, -0.43444421643827336, -0.17613240508147954, 10.5, -0.20686414466293768, 1.4044400453762989,
        0.5693881829360623, -20.25, 0.0, -0.2980039961925918, 2.940199733523725, 30.0,
    ]
    static let all: [Sample] = [
        Sample(
            call: "nrrd.write",
            files: [
                (
                    "short-big.nrrd",
                    """
                    TlJSRDAwMDUKIyBUaGlzIE5SUkQgZmlsZSB3YXMgZ2VuZXJhdGVkIGJ5IHB5bnJyZAojIG9uIDIwMjYtMTEtMjEgMjM6NDM6MDgo\
                    R01UKS4KIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDovL3RlZW0uc291cmNlZm9y\
                    Z2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogaW50MTYKZGltZW5zaW9uOiAzCnNwYWNlOiBsZWZ0LXBvc3Rlcmlvci1zdXBl\
                    cmlvcgpzaXplczogMyA0IDIKc3BhY2UgZGlyZWN0aW9uczogKDAuNjY4NzM1NTQyMzg3OTI0MSwwLjIwNjg2NDE0NDY2MjkzNzY4\
                    LDApICgwLjQzNDQ0NDIxNjQzODI3MzM2LC0xLjQwNDQ0MDA0NTM3NjI5ODksLTAuMjk4MDAzOTk2MTkyNTkxODIpICgwLjE3NjEz\
                    MjQwNTA4MTQ3OTU0LC0wLjU2OTM4ODE4MjkzNjA2MjMsMi45NDAxOTk3MzM1MjM3MjUxKQpraW5kczogZG9tYWluIGRvbWFpbiBk\
                    b21haW4KZW5kaWFuOiBiaWcKZW5jb2Rpbmc6IHJhdwpzcGFjZSBvcmlnaW46ICgtMTAuNSwyMC4yNSwzMCkKCv+c/6P/qv+7/8L/\
                    yf/a/+H/6P/5AAAABwABAAgADwAgACcALgA/AEYATQBeAGUAbA==
                    """
                )
            ], frames: 1, components: 1, kind: "i"),
        Sample(
            call: "nrrd.write",
            files: [
                (
                    "float-gzip.nrrd",
                    """
                    TlJSRDAwMDUKIyBUaGlzIE5SUkQgZmlsZSB3YXMgZ2VuZXJhdGVkIGJ5IHB5bnJyZAojIG9uIDIwMjYtMTEtMjEgMjM6NDM6MDgo\
                    R01UKS4KIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDovL3RlZW0uc291cmNlZm9y\
                    Z2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogZmxvYXQKZGltZW5zaW9uOiAzCnNwYWNlOiBsZWZ0LXBvc3Rlcmlvci1zdXBl\
                    cmlvcgpzaXplczogMyA0IDIKc3BhY2UgZGlyZWN0aW9uczogKDAuNjY4NzM1NTQyMzg3OTI0MSwwLjIwNjg2NDE0NDY2MjkzNzY4\
                    LDApICgwLjQzNDQ0NDIxNjQzODI3MzM2LC0xLjQwNDQ0MDA0NTM3NjI5ODksLTAuMjk4MDAzOTk2MTkyNTkxODIpICgwLjE3NjEz\
                    MjQwNTA4MTQ3OTU0LC0wLjU2OTM4ODE4MjkzNjA2MjMsMi45NDAxOTk3MzM1MjM3MjUxKQpraW5kczogZG9tYWluIGRvbWFpbiBk\
                    b21haW4KZW5kaWFuOiBsaXR0bGUKZW5jb2Rpbmc6IGd6aXAKc3BhY2Ugb3JpZ2luOiAoLTEwLjUsMjAuMjUsMzApCgofiwgAAAAA\
                    AAIDDcWxDUBAAEDRH5UJlAbR4MYwiKj0ChMYwQQSkqNRaLS2UBjAL14enAcsmjWoVaNM3w6r7giU8FYQPa2hUxIgV6FeoyZtuvSE\
                    Hy5vDIVgAAAA
                    """
                )
            ], frames: 1, components: 1, kind: "f"),
        Sample(
            call: "nrrd.write",
            files: [
                (
                    "double-text.nrrd",
                    """
                    TlJSRDAwMDUKIyBUaGlzIE5SUkQgZmlsZSB3YXMgZ2VuZXJhdGVkIGJ5IHB5bnJyZAojIG9uIDIwMjYtMTEtMjEgMjM6NDM6MDgo\
                    R01UKS4KIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDovL3RlZW0uc291cmNlZm9y\
                    Z2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogZG91YmxlCmRpbWVuc2lvbjogNApzcGFjZTogbGVmdC1wb3N0ZXJpb3Itc3Vw\
                    ZXJpb3IKc2l6ZXM6IDMgNCAyIDIKc3BhY2UgZGlyZWN0aW9uczogKDAuNjY4NzM1NTQyMzg3OTI0MSwwLjIwNjg2NDE0NDY2Mjkz\
                    NzY4LDApICgwLjQzNDQ0NDIxNjQzODI3MzM2LC0xLjQwNDQ0MDA0NTM3NjI5ODksLTAuMjk4MDAzOTk2MTkyNTkxODIpICgwLjE3\
                    NjEzMjQwNTA4MTQ3OTU0LC0wLjU2OTM4ODE4MjkzNjA2MjMsMi45NDAxOTk3MzM1MjM3MjUxKSBub25lCmtpbmRzOiBkb21haW4g\
                    ZG9tYWluIGRvbWFpbiB0aW1lCmVuY29kaW5nOiB0ZXh0CnNwYWNlIG9yaWdpbjogKC0xMC41LDIwLjI1LDMwKQoKLTk5LjUKLTky\
                    LjUKLTg1LjUKLTY4LjUKLTYxLjUKLTU0LjUKLTM3LjUKLTMwLjUKLTIzLjUKLTYuNQowLjUKNy41CjEuNQo4LjUKMTUuNQozMi41\
                    CjM5LjUKNDYuNQo2My41CjcwLjUKNzcuNQo5NC41CjEwMS41CjEwOC41Ci05NC41Ci04Ny41Ci04MC41Ci02My41Ci01Ni41Ci00\
                    OS41Ci0zMi41Ci0yNS41Ci0xOC41Ci0xLjUKNS41CjEyLjUKNi41CjEzLjUKMjAuNQozNy41CjQ0LjUKNTEuNQo2OC41Cjc1LjUK\
                    ODIuNQo5OS41CjEwNi41CjExMy41Cg==
                    """
                )
            ], frames: 2, components: 1, kind: "f"),
        Sample(
            call: "nrrd.write",
            files: [
                (
                    "colour.nrrd",
                    """
                    TlJSRDAwMDUKIyBUaGlzIE5SUkQgZmlsZSB3YXMgZ2VuZXJhdGVkIGJ5IHB5bnJyZAojIG9uIDIwMjYtMTEtMjEgMjM6NDM6MDgo\
                    R01UKS4KIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDovL3RlZW0uc291cmNlZm9y\
                    Z2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogdWludDgKZGltZW5zaW9uOiA0CnNwYWNlOiBsZWZ0LXBvc3Rlcmlvci1zdXBl\
                    cmlvcgpzaXplczogMyAzIDQgMgpzcGFjZSBkaXJlY3Rpb25zOiBub25lICgwLjY2ODczNTU0MjM4NzkyNDEsMC4yMDY4NjQxNDQ2\
                    NjI5Mzc2OCwwKSAoMC40MzQ0NDQyMTY0MzgyNzMzNiwtMS40MDQ0NDAwNDUzNzYyOTg5LC0wLjI5ODAwMzk5NjE5MjU5MTgyKSAo\
                    MC4xNzYxMzI0MDUwODE0Nzk1NCwtMC41NjkzODgxODI5MzYwNjIzLDIuOTQwMTk5NzMzNTIzNzI1MSkKa2luZHM6IFJHQi1jb2xv\
                    ciBkb21haW4gZG9tYWluIGRvbWFpbgplbmNvZGluZzogcmF3CnNwYWNlIG9yaWdpbjogKC0xMC41LDIwLjI1LDMwKQoKAAMGBwoN\
                    DhEUHyIlJiksLTAzPkFERUhLTE9SXWBjZGdqa25xZWhrbG9yc3Z5hIeKi46RkpWYo6apqq2wsbS3wsXIyczP0NPW
                    """
                )
            ], frames: 1, components: 3, kind: "u"),
        Sample(
            call: "nrrd.write",
            files: [
                (
                    "detached.nhdr",
                    """
                    TlJSRDAwMDUKIyBUaGlzIE5SUkQgZmlsZSB3YXMgZ2VuZXJhdGVkIGJ5IHB5bnJyZAojIG9uIDIwMjYtMTEtMjEgMjM6NDM6MDgo\
                    R01UKS4KIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDovL3RlZW0uc291cmNlZm9y\
                    Z2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogdWludDE2CmRpbWVuc2lvbjogMwpzcGFjZTogbGVmdC1wb3N0ZXJpb3Itc3Vw\
                    ZXJpb3IKc2l6ZXM6IDMgNCAyCnNwYWNlIGRpcmVjdGlvbnM6ICgwLjY2ODczNTU0MjM4NzkyNDEsMC4yMDY4NjQxNDQ2NjI5Mzc2\
                    OCwwKSAoMC40MzQ0NDQyMTY0MzgyNzMzNiwtMS40MDQ0NDAwNDUzNzYyOTg5LC0wLjI5ODAwMzk5NjE5MjU5MTgyKSAoMC4xNzYx\
                    MzI0MDUwODE0Nzk1NCwtMC41NjkzODgxODI5MzYwNjIzLDIuOTQwMTk5NzMzNTIzNzI1MSkKa2luZHM6IGRvbWFpbiBkb21haW4g\
                    ZG9tYWluCmVuZGlhbjogbGl0dGxlCmVuY29kaW5nOiBnemlwCnNwYWNlIG9yaWdpbjogKC0xMC41LDIwLjI1LDMwKQpkYXRhIGZp\
                    bGU6IGRldGFjaGVkLnJhdy5negoK
                    """
                ),
                (
                    "detached.raw.gz",
                    """
                    H4sIAAAAAAACA2NgYGfgY5BnUGPQZbBjcGXwYYhlSGHIZkhlyGEoZmhh6GaYxLCYYRXDRoZDDCcZLjAAAE7WodowAAAA
                    """
                ),
            ], frames: 1, components: 1, kind: "u"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "itk.nrrd",
                    """
                    TlJSRDAwMDQKIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDovL3RlZW0uc291cmNl\
                    Zm9yZ2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogaW50CmRpbWVuc2lvbjogMwpzcGFjZTogbGVmdC1wb3N0ZXJpb3Itc3Vw\
                    ZXJpb3IKc2l6ZXM6IDMgNCAyCnNwYWNlIGRpcmVjdGlvbnM6ICgwLjY2ODczNTU0MjM4NzkyNDEsMC4yMDY4NjQxNDQ2NjI5Mzc2\
                    OCwwKSAoMC40MzQ0NDQyMTY0MzgyNzMzNiwtMS40MDQ0NDAwNDUzNzYyOTg5LC0wLjI5ODAwMzk5NjE5MjU5MTgyKSAoMC4xNzYx\
                    MzI0MDUwODE0Nzk1NCwtMC41NjkzODgxODI5MzYwNjIzLDIuOTQwMTk5NzMzNTIzNzI1MSkKa2luZHM6IGRvbWFpbiBkb21haW4g\
                    ZG9tYWluCmVuZGlhbjogbGl0dGxlCmVuY29kaW5nOiBnemlwCnNwYWNlIG9yaWdpbjogKC0xMC41LDIwLjI1LDMwKQoKH4sIAAAA\
                    AAAAAwXBoQGCAAAAwTNhYwWazRVsNleg2RzJZnMFG80VaDZWMD13z+pVvatPtVTfaq1+1Vb9KxhwwBEjJpxwxgVX3DDjjgd27BSB\
                    M2AAAAA=
                    """
                )
            ], frames: 1, components: 1, kind: "i"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "zlib.mha",
                    """
                    T2JqZWN0VHlwZSA9IEltYWdlCk5EaW1zID0gMwpCaW5hcnlEYXRhID0gVHJ1ZQpCaW5hcnlEYXRhQnl0ZU9yZGVyTVNCID0gRmFs\
                    c2UKQ29tcHJlc3NlZERhdGEgPSBUcnVlCkNvbXByZXNzZWREYXRhU2l6ZSA9IDU5ClRyYW5zZm9ybU1hdHJpeCA9IDAuOTU1MzM2\
                    NDg5MTI1NjA2MDkgMC4yOTU1MjAyMDY2NjEzMzk2IDAgMC4yODk2Mjk0Nzc2MjU1MTU1NSAtMC45MzYyOTMzNjM1ODQxOTkyMyAt\
                    MC4xOTg2NjkzMzA3OTUwNjEyMiAwLjA1ODcxMDgwMTY5MzgyNjUxIC0wLjE4OTc5NjA2MDk3ODY4NzQzIDAuOTgwMDY2NTc3ODQx\
                    MjQxNzQKT2Zmc2V0ID0gLTEwLjUgMjAuMjUgMzAKQ2VudGVyT2ZSb3RhdGlvbiA9IDAgMCAwCkFuYXRvbWljYWxPcmllbnRhdGlv\
                    biA9IFJQSQpFbGVtZW50U3BhY2luZyA9IDAuNjk5OTk5OTk5OTk5OTk5ODQgMS41IDMKRGltU2l6ZSA9IDMgNCAyCkVsZW1lbnRU\
                    eXBlID0gTUVUX1NIT1JUCkVsZW1lbnREYXRhRmlsZSA9IExPQ0FMCnheATAAz/+c/6P/qv+7/8L/yf/a/+H/6P/5/wAABwABAAgA\
                    DwAgACcALgA/AEYATQBeAGUAbAC6thRX
                    """
                )
            ], frames: 1, components: 1, kind: "i"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "vector.mha",
                    """
                    T2JqZWN0VHlwZSA9IEltYWdlCk5EaW1zID0gMwpCaW5hcnlEYXRhID0gVHJ1ZQpCaW5hcnlEYXRhQnl0ZU9yZGVyTVNCID0gRmFs\
                    c2UKQ29tcHJlc3NlZERhdGEgPSBGYWxzZQpUcmFuc2Zvcm1NYXRyaXggPSAwLjk1NTMzNjQ4OTEyNTYwNjA5IDAuMjk1NTIwMjA2\
                    NjYxMzM5NiAwIDAuMjg5NjI5NDc3NjI1NTE1NTUgLTAuOTM2MjkzMzYzNTg0MTk5MjMgLTAuMTk4NjY5MzMwNzk1MDYxMjIgMC4w\
                    NTg3MTA4MDE2OTM4MjY1MSAtMC4xODk3OTYwNjA5Nzg2ODc0MyAwLjk4MDA2NjU3Nzg0MTI0MTc0Ck9mZnNldCA9IC0xMC41IDIw\
                    LjI1IDMwCkNlbnRlck9mUm90YXRpb24gPSAwIDAgMApBbmF0b21pY2FsT3JpZW50YXRpb24gPSBSUEkKRWxlbWVudFNwYWNpbmcg\
                    PSAwLjY5OTk5OTk5OTk5OTk5OTg0IDEuNSAzCkRpbVNpemUgPSAzIDQgMgpFbGVtZW50TnVtYmVyT2ZDaGFubmVscyA9IDIKRWxl\
                    bWVudFR5cGUgPSBNRVRfRkxPQVQKRWxlbWVudERhdGFGaWxlID0gTE9DQUwKAADHwgAAwcIAALnCAACzwgAAq8IAAKXCAACJwgAA\
                    g8IAAHbCAABqwgAAWsIAAE7CAAAWwgAACsIAAPTBAADcwQAAvMEAAKTBAADQwAAAYMAAAAA/AABgQAAA8EAAAChBAADAPwAAkEAA\
                    AAhBAAA4QQAAeEEAAJRBAAACQgAADkIAAB5CAAAqQgAAOkIAAEZCAAB+QgAAhUIAAI1CAACTQgAAm0IAAKFCAAC9QgAAw0IAAMtC\
                    AADRQgAA2UIAAN9C
                    """
                )
            ], frames: 1, components: 2, kind: "f"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "pair.mhd",
                    """
                    T2JqZWN0VHlwZSA9IEltYWdlCk5EaW1zID0gMwpCaW5hcnlEYXRhID0gVHJ1ZQpCaW5hcnlEYXRhQnl0ZU9yZGVyTVNCID0gRmFs\
                    c2UKQ29tcHJlc3NlZERhdGEgPSBUcnVlCkNvbXByZXNzZWREYXRhU2l6ZSA9IDMzClRyYW5zZm9ybU1hdHJpeCA9IDAuOTU1MzM2\
                    NDg5MTI1NjA2MDkgMC4yOTU1MjAyMDY2NjEzMzk2IDAgMC4yODk2Mjk0Nzc2MjU1MTU1NSAtMC45MzYyOTMzNjM1ODQxOTkyMyAt\
                    MC4xOTg2NjkzMzA3OTUwNjEyMiAwLjA1ODcxMDgwMTY5MzgyNjUxIC0wLjE4OTc5NjA2MDk3ODY4NzQzIDAuOTgwMDY2NTc3ODQx\
                    MjQxNzQKT2Zmc2V0ID0gLTEwLjUgMjAuMjUgMzAKQ2VudGVyT2ZSb3RhdGlvbiA9IDAgMCAwCkFuYXRvbWljYWxPcmllbnRhdGlv\
                    biA9IFJQSQpFbGVtZW50U3BhY2luZyA9IDAuNjk5OTk5OTk5OTk5OTk5ODQgMS41IDMKRGltU2l6ZSA9IDMgNCAyCkVsZW1lbnRU\
                    eXBlID0gTUVUX1VDSEFSCkVsZW1lbnREYXRhRmlsZSA9IHBhaXIuenJhdwo=
                    """
                ),
                (
                    "pair.zraw",
                    """
                    eF5jYOeTV9O1c/WJTclOzSlu6Z60eNXGQycvAABSOgnB
                    """
                ),
            ], frames: 1, components: 1, kind: "u"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "series.mha",
                    """
                    T2JqZWN0VHlwZSA9IEltYWdlCk5EaW1zID0gNApCaW5hcnlEYXRhID0gVHJ1ZQpCaW5hcnlEYXRhQnl0ZU9yZGVyTVNCID0gRmFs\
                    c2UKQ29tcHJlc3NlZERhdGEgPSBGYWxzZQpUcmFuc2Zvcm1NYXRyaXggPSAwLjk1NTMzNjQ4OTEyNTYwNjA5IDAuMjk1NTIwMjA2\
                    NjYxMzM5NiAwIDAgMC4yODk2Mjk0Nzc2MjU1MTU1NSAtMC45MzYyOTMzNjM1ODQxOTkyMyAtMC4xOTg2NjkzMzA3OTUwNjEyMiAw\
                    IDAuMDU4NzEwODAxNjkzODI2NTEgLTAuMTg5Nzk2MDYwOTc4Njg3NDMgMC45ODAwNjY1Nzc4NDEyNDE3NCAwIDAgMCAwIDEKT2Zm\
                    c2V0ID0gLTEwLjUgMjAuMjUgMzAgMApDZW50ZXJPZlJvdGF0aW9uID0gMCAwIDAgMApFbGVtZW50U3BhY2luZyA9IDAuNjk5OTk5\
                    OTk5OTk5OTk5ODQgMS41IDMgMQpEaW1TaXplID0gMyA0IDIgMgpBbmF0b21pY2FsT3JpZW50YXRpb24gPSA/Pz8/CkVsZW1lbnRU\
                    eXBlID0gTUVUX1VTSE9SVApFbGVtZW50RGF0YUZpbGUgPSBMT0NBTAoAAAcADgAfACYALQA+AEUATABdAGQAawBlAGwAcwCEAIsA\
                    kgCjAKoAsQDCAMkA0AAFAAwAEwAkACsAMgBDAEoAUQBiAGkAcABqAHEAeACJAJAAlwCoAK8AtgDHAM4A1QA=
                    """
                )
            ], frames: 2, components: 1, kind: "u"),
        Sample(
            call: "nibabel.save",
            files: [
                (
                    "big.nii",
                    """
                    AAABXAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADAAMABAACAAEAAQABAAEAAAAAAAAAAAAAAAAAAAAIACAA\
                    AL+AAAA/MzMzP8AAAEBAAAA/gAAAP4AAAD+AAAA/gAAAQ7AAAD+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAr4YQpo/e9xfvcopuUEoAADBogAAQfAAAL8rMkG+3m95vjRcDkEoAAC+U9Qy\
                    P7PEsT8Rw23BogAAAAAAAL6Yk/tAPCw8QfAAAAAAAAAAAAAAAAAAAAAAAABuKzEAAAAAAP///5z///+j////qv///7v////C////\
                    yf///9r////h////6P////kAAAAAAAAABwAAAAEAAAAIAAAADwAAACAAAAAnAAAALgAAAD8AAABGAAAATQAAAF4AAABlAAAAbA==
                    """
                )
            ], frames: 1, components: 1, kind: "i"),
        Sample(
            call: "nibabel.save",
            files: [
                (
                    "two.nii.gz",
                    """
                    H4sIAAAAAAAE/5NhYmDI0zZi4OWS4nJgcGBgZoAAGM0C5QOVgQEjARoqjYP6sD81DQSe2UMU/IDSHA4Q/gcoH5NWgDkArBAmD9E1\
                    WEmQk+3Kb9oFcxze3+QQfLe7+r19vI2xjrnrzv0QN6s6gGkHkwMQvp3D7OB2EY+0p/t7qpJk35+9vX/JvNObG7uPwdWLZLNatFWd\
                    2v8snFFhWsU3+xg+vom5Fo8g4QY3h4GBNy4vql7o8v47nZIF7a3sEHsY7KA0xDaiyQcRB8BqFcIhdEIolB8IoQ/4QWgHbyjfCUI3\
                    2EFpcwjNIAWlH0DjWc6BAQxg6UARyteH0A4OEPqAM5TvDuX7Q+gFgRA6IRjKD4fyIyG0QrQDADxLsFXgAgAA
                    """
                )
            ], frames: 1, components: 1, kind: "f"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "vector.nii.gz",
                    """
                    H4sIAAAAAAAAA8WQvyvEcRjHX3eHdEWUZJIRZ3DOID/6fD6PMlpsunKzRBl0pXQlg0GpM7hMxGShm8h97/t9TikWyqIu/gQ32Cz6\
                    3t2CxeZdT73fT+/nXe8nHeEPWKeVGC1EidTn+9F7rIuBOsuVU6mUAd+Atb9zLmYhZ5oizj8j7FGQPm+pummuh+5LMOjgJICas2OJ\
                    cnbt1etIj3vhPvm84F3eFs1KpduEnpmettHP/KE3NTJtQ//P7NVEssnuFK4UzhV2FTYUFhV6FT4CuAng0QcM1Gzjd+0Osg6iAv0C\
                    kwJbAnsCRwIlgQeBF4FAoahwprCtsKwwrxBXqAZwGkDGh4xt9Nu3MOHgwEGnwLDAnMCOQF7gWKAi8CTwJl+yWZvzIAIAAA==
                    """
                )
            ], frames: 1, components: 2, kind: "f"),
    ]
}
