using Crust.Appliance;
using Crust.Disks;
using Crust.Formats;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Installers;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Disks;

/// <summary>A run of bytes on a disk.</summary>
/// <param name="Offset">Where it starts.</param>
/// <param name="Length">How many bytes.</param>
/// <param name="Kind">What they are.</param>
internal sealed record Piece(long Offset, int Length, PieceKind Kind = PieceKind.Text);

internal enum PieceKind
{
    /// <summary>Zeros that are allocated.</summary>
    Zeros,

    /// <summary>Bytes that compress well.</summary>
    Text,

    /// <summary>Bytes that don't compress.</summary>
    Noise,
}

/// <summary>A sparse raw disk in a folder of its own.</summary>
internal sealed class SampleDisk : IDisposable
{
    public static readonly ToolBox Tools = new(["/usr/bin", "/usr/sbin", "/bin", "/sbin"], Logger.None);

    public SampleDisk(long size, params IReadOnlyList<Piece> pieces)
    {
        Folder = Directory.CreateTempSubdirectory("crust-test-").FullName;
        using (var disk = File.OpenHandle(Path, FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.SetLength(disk, size);
            foreach (var piece in pieces)
            {
                RandomAccess.Write(disk, Bytes(piece), piece.Offset);
            }
        }

        Installed = InstalledDisk.Of("key", Path, BlockMap.OfAsync(Path, CancellationToken.None).GetAwaiter().GetResult(), InstallFacts.None);
    }

    public string Folder { get; }

    public string Path => System.IO.Path.Combine(Folder, "disk.raw");

    public InstalledDisk Installed { get; }

    /// <summary>What formats work with; nothing of it is used before a format asks.</summary>
    public FormatServices Services => new(Tools, new ApplianceBuilder(Tools, new BuildCache(FileFor("cache"), Logger.None),
        new Folders { Images = Folder, Cache = FileFor("cache"), Runtime = Folder, Builder = Folders.BuilderBesideProgram }, new EventList()));

    /// <summary>Asks a format that needs no parts for an image of this disk.</summary>
    public FormatRequest Request(string path, Action<double>? progress = null) => new(Installed, path, Tools, progress ?? (_ => { }))
    {
        Name = "disk",
        Spec = new BuildSpec(),
        Appliance = Services.Appliance,
        Cores = CoreShare.OfHost(),
        Parts = new ImageParts((_, _) => throw new InvalidOperationException("This format needs no parts.")),
    };

    public string FileFor(string name) => System.IO.Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static byte[] Bytes(Piece piece)
    {
        var bytes = new byte[piece.Length];
        if (piece.Kind is PieceKind.Noise)
        {
            new Random(piece.Length).NextBytes(bytes);
        }
        else if (piece.Kind is PieceKind.Text)
        {
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)('a' + ((piece.Offset + i) / 7 % 26));
            }
        }

        return bytes;
    }
}
