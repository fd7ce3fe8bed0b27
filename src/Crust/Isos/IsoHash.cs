using System.Buffers;
using System.Security.Cryptography;
using Crust.Storage;
using Serilog;

namespace Crust.Isos;

/// <summary>The SHA-256 of large files, remembered in the cache: a file that hasn't changed isn't read again.</summary>
internal sealed class IsoHash(string cacheFolder, IBuildObserver observer, ILogger log)
{
    private const int BufferSize = 1 << 20;
    private const int BuffersPerReport = 64;

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

    private async Task<string> ComputeAsync(string path, CancellationToken cancellation)
    {
        using var handle = File.OpenHandle(path, options: FileOptions.Asynchronous | FileOptions.SequentialScan);
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var size = RandomAccess.GetLength(handle);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var offset = 0L;
            for (int read, count = 0; (read = await RandomAccess.ReadAsync(handle, buffer, offset, cancellation)) > 0; count++)
            {
                sha.AppendData(buffer, 0, read);
                offset += read;
                if (count % BuffersPerReport == BuffersPerReport - 1)
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
