using System.Buffers;
using System.Security.Cryptography;
using Crust.Disks;
using Crust.Storage;
using Serilog;

namespace Crust.Isos;

/// <summary>The SHA-256 of large files, remembered in the cache: a file that hasn't changed isn't read again.</summary>
internal sealed class IsoHash(string cacheFolder, IBuildObserver observer, ILogger log)
{
    private const int BufferSize = 1 << 20;
    private const int BuffersPerReport = 64;

    private static readonly byte[] Zeros = new byte[BufferSize];

    /// <summary>The stage that its progress belongs to.</summary>
    public Stage Stage { get; init; } = Stage.Installer;

    /// <summary>A file's SHA-256, as 64 lower-case hex digits.</summary>
    /// <exception cref="CrustException">It can't be read, or changes meanwhile.</exception>
    public async Task<string> OfAsync(string path, CancellationToken cancellation)
    {
        try
        {
            var before = FileIdentity.Of(path);
            if (Recall(path, before) is { } known)
            {
                return known;
            }

            var hash = await ComputeAsync(path, cancellation);
            if (FileIdentity.Of(path) != before)
            {
                throw new CrustException(FailureKind.InputOutput, $"The {Noun} changed while it was read", path, "wait until it is complete, and start again");
            }

            Remember(path, hash);
            return hash;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The {Noun} can't be read: {e.Message}", path, "check the drive that it is on, and that this user may read it", e);
        }
    }

    /// <summary>A file's SHA-256 if it was computed before and the file hasn't changed since, else null.</summary>
    /// <exception cref="IOException">The file can't be looked at.</exception>
    public string? Recall(string path) => Recall(path, FileIdentity.Of(path));

    /// <summary>Remembers the SHA-256 of a file that was computed while it was written. Failing to is not an error: it is computed again then.</summary>
    public void Remember(string path, string hash)
    {
        try
        {
            var file = MemoryOf(path, FileIdentity.Of(path));
            PrivateFolder.Create(Path.GetDirectoryName(file)!);
            WholeFile.Replace(file, hash);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.Warning("The checksum of {Path} can't be remembered: {Error}", path, e.Message);
        }
    }

    private string Noun => Stage is Stage.Base ? "image" : "ISO";

    private string? Recall(string path, FileIdentity identity)
    {
        var file = MemoryOf(path, identity);
        return File.Exists(file) && File.ReadAllText(file) is var hash && Checksum.IsSha256(hash) ? hash : null;
    }

    private string MemoryOf(string path, FileIdentity identity) =>
        Path.Combine(cacheFolder, "checksums", Checksum.OfText($"{Path.GetFullPath(path)}\n{identity}"));

    // A hole is hashed as the zeros that it is, and not read: a raw disk of 20 GiB with little on it takes a quarter of the time.
    private async Task<string> ComputeAsync(string path, CancellationToken cancellation)
    {
        using var handle = File.OpenHandle(path, options: FileOptions.Asynchronous | FileOptions.SequentialScan);
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var size = RandomAccess.GetLength(handle);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var offset = 0L;
            var count = 0;
            // A device has no length, and no holes.
            foreach (var extent in size > 0 ? SparseFile.ReadExtents(handle).Append(new Extent(size, 0)) : [new Extent(0, long.MaxValue)])
            {
                while (offset < extent.Offset)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var length = (int)Math.Min(Zeros.Length, extent.Offset - offset);
                    sha.AppendData(Zeros, 0, length);
                    Advance(length);
                }

                while (offset < extent.End)
                {
                    var read = await RandomAccess.ReadAsync(handle, buffer.AsMemory(0, (int)Math.Min(BufferSize, extent.End - offset)), offset, cancellation);
                    if (read == 0)
                    {
                        // It became shorter: its identity is another one now.
                        break;
                    }

                    sha.AppendData(buffer, 0, read);
                    Advance(read);
                }
            }

            void Advance(int length)
            {
                offset += length;
                if (count++ % BuffersPerReport == BuffersPerReport - 1)
                {
                    observer.Observe(new BuildEvent.Progressed(Stage, null, Math.Min(1, (double)offset / size), $"computing the checksum of {Path.GetFileName(path)}"));
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }
}
