using Crust.Disks;
using Crust.Formats.Zstd;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Rootfs;

/// <summary>Writes archives of root file systems: packed in the appliance, compressed by all cores. The bytes don't depend on the number of cores.</summary>
internal static class RootArchive
{
    /// <summary>What it is, for people.</summary>
    public const string What = "a root file system";

    // The first piece is small, so that the archive's first member is found in a file's first bytes.
    private const int FirstPiece = 32 << 10;
    private const int PieceLength = 4 << 20;

    // Packing in an emulated machine takes about as long as compressing.
    private const double PackingPart = 0.5;

    /// <summary>What the name of the first member begins with, or that of its pax header: GNU tar's for the folder that it packs.</summary>
    public static ReadOnlySpan<byte> FirstMember => "./"u8;

    /// <param name="create">Makes a compressor for each worker.</param>
    /// <param name="hasTable">Whether a table of the pieces stands at the end, as zstd's seekable format has it.</param>
    public static async Task<WrittenImage> WriteAsync(FormatRequest request, Func<PieceCompressor> create, bool hasTable, CancellationToken cancellation)
    {
        var roots = request.Roots ?? throw new InvalidOperationException("Nothing here packs root file systems.");
        var tar = request.Path + ".tar";
        try
        {
            var length = await roots.PackAsync(request.Disk, request.Spec.Machine, tar, done => request.Progress(PackingPart * done), cancellation);
            return new WrittenImage(await CompressAsync(tar, length, request, create, hasTable, cancellation));
        }
        finally
        {
            File.Delete(tar);
        }
    }

    private static async Task<string> CompressAsync(string tar, long length, FormatRequest request, Func<PieceCompressor> create, bool hasTable, CancellationToken cancellation)
    {
        var workers = Environment.ProcessorCount;
        using var source = File.OpenHandle(tar);
        using var file = new HashedFile(request.Path);
        var compressors = Enumerable.Range(0, workers).Select(_ => create()).ToList();
        var frames = new List<ZstdFrame>();
        long next = 0, done = 0;
        try
        {
            await OrderedPipeline.RunAsync(
                Enumerable.Range(0, workers + 2).Select(_ => new Piece(source)),
                piece =>
                {
                    piece.Take(next, (int)Math.Min(length - next, next == 0 ? FirstPiece : PieceLength));
                    next += piece.Length;
                    return piece.Length > 0;
                },
                compressors.Select<PieceCompressor, Action<Piece>>(compressor => piece => piece.Compress(compressor)),
                piece =>
                {
                    frames.Add(new ZstdFrame(file.Length, piece.Compressed.Length, done, piece.Length));
                    file.Append(piece.Compressed);
                    done += piece.Length;
                    request.Progress(PackingPart + ((1 - PackingPart) * done / length));
                },
                request.Cores,
                cancellation);
        }
        finally
        {
            compressors.ForEach(compressor => compressor.Dispose());
        }

        if (hasTable)
        {
            file.Append(SeekTable.Of(frames));
        }

        return file.Sha256();
    }

    /// <summary>What is in an archive.</summary>
    /// <param name="open">Opens the file as the tar archive in it.</param>
    /// <exception cref="CrustException">It can't be read, or is damaged.</exception>
    public static Task<ArchiveContents?> ReadContentsAsync(string image, Func<FileStream, Stream> open, CancellationToken cancellation) => Task.Run<ArchiveContents?>(() =>
    {
        try
        {
            using var tar = open(new FileStream(RegularFile.Open(image, "image", "name an image: a regular file"), FileAccess.Read));
            return ArchiveContents.Read(What, tar, cancellation);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The archive is damaged: {e.Message}", image, "copy or download it again, or build it anew", e);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The archive can't be read: {e.Message}", image, "check the drive that it is on", e);
        }
    }, cancellation);

    /// <summary>Buffers for one piece, used again and again.</summary>
    private sealed class Piece(SafeFileHandle tar)
    {
        private readonly byte[] _content = new byte[PieceLength];
        private readonly byte[] _compressed = new byte[PieceLength + (PieceLength / 64) + 512];
        private long _offset;
        private int _compressedLength;

        public int Length { get; private set; }

        public ReadOnlySpan<byte> Compressed => _compressed.AsSpan(0, _compressedLength);

        public void Take(long offset, int length) => (_offset, Length) = (offset, length);

        /// <exception cref="EndOfStreamException">The archive is shorter than it was said to be.</exception>
        public void Compress(PieceCompressor compressor)
        {
            var content = _content.AsSpan(0, Length);
            if (tar.ReadUpTo(content, _offset) < Length)
            {
                throw new EndOfStreamException("The packed root file system is shorter than the appliance said.");
            }

            _compressedLength = compressor.Compress(content, _compressed);
        }
    }
}
