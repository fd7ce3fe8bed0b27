using System.Collections.Immutable;
using System.Text.Json;
using Crust.Oci;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Registries;

/// <summary>
/// All talk to registries: calls of skopeo. Logins come from the file that `skopeo login` writes; none is ever in an argument.
/// </summary>
/// <param name="folder">A private folder: layouts are below it, and what skopeo unpacks.</param>
/// <param name="time">Tells how long a registry does nothing.</param>
internal sealed class Skopeo(ToolBox tools, PublishSpec how, string folder, TimeProvider time)
{
    public const string Program = "skopeo";

    private const int LongestDocument = 4 << 20;

    // Of a million tags.
    private const int LongestList = 64 << 20;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>The folder that <see cref="PushAsync"/>'s sources are named from.</summary>
    public string Folder => folder;

    /// <summary>Pushes an image, an artifact or an index. Blobs that the registry has already aren't sent.</summary>
    /// <param name="source">What, as skopeo names it, from <see cref="Folder"/>.</param>
    /// <param name="to">Its name in the registry.</param>
    /// <param name="moved">Receives how many bytes skopeo has written so far; null for nobody.</param>
    /// <exception cref="RegistryException">It wasn't pushed, or not wholly.</exception>
    public async Task PushAsync(string source, RegistryReference to, Action<long>? moved, CancellationToken cancellation)
    {
        var result = await RunAsync(
            [
                "copy", "--multi-arch", "index-only", "--preserve-digests", .. Login(),
                .. Connection("dest-"), .. source.StartsWith("docker:", StringComparison.Ordinal) ? Connection("src-") : [],
                source, Named(to),
            ],
            to, null, moved, cancellation);
        if (result.ExitCode != 0)
        {
            throw RegistryFaults.Of(result.Error, to);
        }
    }

    /// <summary>Pulls an image or an artifact with all its blobs, whose digests skopeo checks.</summary>
    /// <param name="from">Its name, with a digest.</param>
    /// <param name="to">The name of a new folder below <see cref="Folder"/>: each blob is a file in it, whose name is its SHA-256 in hex.</param>
    /// <param name="moved">Receives how many bytes skopeo has written so far.</param>
    /// <exception cref="RegistryException">It wasn't pulled, or not wholly.</exception>
    public async Task PullAsync(RegistryReference from, string to, Action<long> moved, CancellationToken cancellation)
    {
        var result = await RunAsync(["copy", "--preserve-digests", .. Login(), .. Connection("src-"), Named(from), $"dir:{to}"], from, null, moved, cancellation);
        if (result.ExitCode != 0)
        {
            throw RegistryFaults.Of(result.Error, from);
        }
    }

    /// <summary>Pulls an image into an OCI archive. One in Docker's form becomes one in OCI's; its layers stay what they are.</summary>
    /// <param name="from">Its name, with a digest.</param>
    /// <param name="archive">The path of the archive; there must be nothing.</param>
    /// <param name="moved">Receives how many bytes skopeo has written so far.</param>
    /// <exception cref="RegistryException">It wasn't pulled, or not wholly.</exception>
    public async Task PullArchiveAsync(RegistryReference from, string archive, Action<long> moved, CancellationToken cancellation)
    {
        var result = await RunAsync(["copy", .. Login(), .. Connection("src-"), Named(from), $"oci-archive:{archive}"], from, null, moved, cancellation);
        if (result.ExitCode != 0)
        {
            throw RegistryFaults.Of(result.Error, from);
        }
    }

    /// <summary>
    /// Pulls an image's layers, whose digests skopeo checks, as they are. What is in the folder already isn't pulled again: a pull that was cut off goes on with the layers that it hadn't yet.
    /// Manifest and config aren't among them: skopeo writes those of an image in Docker's form anew (<see cref="ReadAsync"/> and <see cref="ReadConfigAsync"/> have them).
    /// </summary>
    /// <param name="from">Its name, with a digest.</param>
    /// <param name="blobs">The absolute path of a folder on the same file system as <see cref="Folder"/>: each blob is the file `sha256/HEX` in it.</param>
    /// <param name="moved">Receives how many bytes skopeo has written so far.</param>
    /// <exception cref="RegistryException">It wasn't pulled, or not wholly.</exception>
    public async Task PullBlobsAsync(RegistryReference from, string blobs, Action<long> moved, CancellationToken cancellation)
    {
        var layout = $"blobs-{Guid.NewGuid().ToString("N")[..12]}";
        var result = await RunAsync(
            [
                "copy", "--dest-oci-accept-uncompressed-layers", "--dest-shared-blob-dir", blobs, .. Login(), .. Connection("src-"), Named(from), $"oci:{layout}:it",
            ],
            from, null, moved, cancellation);
        if (result.ExitCode != 0)
        {
            throw RegistryFaults.Of(result.Error, from);
        }
    }

    /// <summary>The config of an image as the registry has it; null if there is none.</summary>
    /// <param name="from">Its name, with a digest.</param>
    /// <exception cref="RegistryException">The registry doesn't say.</exception>
    public async Task<OciDocument?> ReadConfigAsync(RegistryReference from, CancellationToken cancellation)
    {
        var tooLong = new RegistryException(RegistryFault.Altered, "The registry's config of an image is longer than any config may be", from.ToString(), "choose another image");
        var config = await AskAsync(["inspect", "--config", "--raw", "--no-tags", .. Login(), .. Connection(""), Named(from)], from, LongestDocument, tooLong, cancellation);
        return config is null ? null : new OciDocument(config);
    }

    /// <summary>A manifest or an index as the registry has it; null if there is none.</summary>
    /// <exception cref="RegistryException">The registry doesn't say.</exception>
    public async Task<OciDocument?> ReadAsync(RegistryReference from, CancellationToken cancellation)
    {
        var tooLong = new RegistryException(RegistryFault.Altered, "The registry's manifest is longer than any manifest may be", from.ToString(), "choose another tag");
        return await AskAsync(["inspect", "--raw", "--no-tags", .. Login(), .. Connection(""), Named(from)], from, LongestDocument, tooLong, cancellation) is { } bytes ? new OciDocument(bytes) : null;
    }

    /// <summary>The tags of a repository; none where the registry doesn't know it.</summary>
    /// <exception cref="RegistryException">The registry doesn't say.</exception>
    public async Task<IReadOnlySet<string>> ListTagsAsync(string repository, CancellationToken cancellation)
    {
        var from = new RegistryReference(repository, "");
        var tooLong = new RegistryException(RegistryFault.Altered, $"The registry lists more than {Size.Format(LongestList)} of tags", repository,
            "use several repositories, or have the registry forget old tags");
        var json = await AskAsync(["list-tags", .. Login(), .. Connection(""), $"docker://{repository}"], from, LongestList, tooLong, cancellation);
        if (json is null)
        {
            return ImmutableHashSet<string>.Empty;
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.GetProperty("Tags").EnumerateArray().Select(tag => tag.GetString()!).ToHashSet(StringComparer.Ordinal);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new RegistryException(RegistryFault.Altered, $"The registry's list of tags can't be read: {e.Message}", repository, "see what answers there: it may not be a registry");
        }
    }

    private async Task<byte[]?> AskAsync(IEnumerable<string> arguments, RegistryReference about, int most, RegistryException tooLong, CancellationToken cancellation)
    {
        using var bytes = new MemoryStream();
        var result = await RunAsync(arguments, about, piece =>
        {
            if (bytes.Length + piece.Length > most)
            {
                throw tooLong;
            }

            bytes.Write(piece.Span);
        }, null, cancellation);
        if (result.ExitCode == 0)
        {
            return bytes.ToArray();
        }

        var fault = RegistryFaults.Of(result.Error, about);
        return fault.Fault is RegistryFault.Missing ? null : throw fault;
    }

    /// <summary>What skopeo calls a name in a registry.</summary>
    public static string Named(RegistryReference reference) => $"docker://{reference}";

    private string[] Login() => how.AuthFile is null ? [] : ["--authfile", how.AuthFile];

    private IEnumerable<string> Connection(string side) =>
    [
        .. how.CertDir is null ? Array.Empty<string>() : [$"--{side}cert-dir", how.CertDir],
        .. how.Tls ? Array.Empty<string>() : [$"--{side}tls-verify=false"],
    ];

    private async Task<ToolResult> RunAsync(IEnumerable<string> arguments, RegistryReference reference, Action<ReadOnlyMemory<byte>>? output, Action<long>? moved, CancellationToken cancellation)
    {
        // A policy says which images of others are taken; this one is our own, and Debian's skopeo has no policy without a package more.
        var command = ToolCommand.Of(Program, ["--insecure-policy", "--tmpdir", folder, .. arguments]) with { WorkingDirectory = folder, Inherits = ToolEnvironment.Registries, OnOutput = output };
        using var stalled = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var ended = new CancellationTokenSource();
        await using var tool = tools.Start(command);
        var watch = WatchAsync(tool.Id, moved, stalled, ended.Token);
        try
        {
            return await tool.WaitAsync(stalled.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new RegistryException(RegistryFault.Stalled, $"The registry {reference.Registry} took nothing and gave nothing for {Duration.Format(how.Stall)}", reference.ToString(),
                "try again, or give it more time in publish.stall; what was pushed so far stays there");
        }
        finally
        {
            await ended.CancelAsync();
            await watch;
        }
    }

    // skopeo shows no progress but on a terminal, and has no limit for a registry that doesn't answer: the kernel counts its bytes.
    private async Task WatchAsync(int process, Action<long>? moved, CancellationTokenSource stalled, CancellationToken ended)
    {
        try
        {
            using var timer = new PeriodicTimer(how.Stall < Interval ? how.Stall : Interval, time);
            var last = (Read: -1L, Written: -1L);
            var since = time.GetTimestamp();
            while (await timer.WaitForNextTickAsync(ended))
            {
                if (Bytes(process) is not { } now)
                {
                    return;
                }

                if (HasMoved(last, now))
                {
                    since = time.GetTimestamp();
                    moved?.Invoke(now.Written);
                }
                else if (time.GetElapsedTime(since) >= how.Stall)
                {
                    await stalled.CancelAsync();
                    return;
                }

                last = now;
            }
        }
        catch (OperationCanceledException)
        {
            // skopeo has ended.
        }
    }

    // On a busy host, Go's runtime wakes its own threads several times a second, each time by a byte through a pipe, which counts as read and as written
    // (runtime.netpollBreak): a registry that never answers would never be given up. A request, an answer and a piece of a blob are longer, or aren't read as they are written.
    internal static bool HasMoved((long Read, long Written) before, (long Read, long Written) now)
    {
        var (read, written) = (now.Read - before.Read, now.Written - before.Written);
        return Math.Max(read, written) >= 4096 || Math.Abs(read - written) >= 16;
    }

    // proc(5), /proc/<pid>/io: all that was read and written, sockets included. Null where the kernel doesn't tell, or the process is gone.
    private static (long Read, long Written)? Bytes(int process)
    {
        try
        {
            var counters = File.ReadLines($"/proc/{process}/io").Select(line => line.Split(": ")).ToDictionary(pair => pair[0], pair => long.Parse(pair[1]));
            return (counters["rchar"], counters["wchar"]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or KeyNotFoundException or IndexOutOfRangeException)
        {
            return null;
        }
    }
}
