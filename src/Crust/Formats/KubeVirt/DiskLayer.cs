using System.Security.Cryptography;
using Crust.Formats.Archives;
using Crust.Trees;

namespace Crust.Formats.KubeVirt;

/// <summary>
/// The one layer of a containerDisk: a tar archive with `/disk/&lt;name&gt;.qcow2`, owned by 107:107, the user that runs QEMU in KubeVirt's pods,
/// and writable for nobody (KubeVirt's user guide, "containerDisk").
/// </summary>
internal sealed class DiskLayer
{
    private const string FolderName = "disk/";
    private const int Qemu = 107;
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.GroupRead;

    private readonly string _path;
    private readonly TarMember _folder = new(FolderName, 0)
    {
        Owner = Qemu,
        Mode = Readable | UnixFileMode.OtherRead | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute,
    };

    private readonly TarMember _file;

    /// <param name="qcow2">The file; it must stay as it is.</param>
    /// <param name="name">The images' base name.</param>
    public DiskLayer(DraftImage qcow2, string name)
    {
        _path = qcow2.Path;
        _file = new TarMember(TarMember.NameFor(name, ".qcow2", FolderName), qcow2.Size) { Owner = Qemu, Mode = Readable };
    }

    /// <summary>Its length in bytes.</summary>
    public long Length => _folder.Room + _file.Room + TarMember.EndOfArchive.Length;

    /// <summary>Its bytes in pieces; each is good until the next is asked for.</summary>
    /// <param name="done">Receives the part that was read, from 0 to 1.</param>
    public IEnumerable<ReadOnlyMemory<byte>> Read(Action<double> done, CancellationToken cancellation) =>
        _file.With(FilePieces.Of(_path, read => done((double)read / _file.Length), cancellation))
            .Prepend(_folder.Header())
            .Append(TarMember.EndOfArchive);

    /// <summary>Its SHA-256 in hex: its name in the archive, which stands there before it.</summary>
    public string Sha256(Action<double> done, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var piece in Read(done, cancellation))
        {
            hash.AppendData(piece.Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
