using System.Text.RegularExpressions;
using Crust.Tests.Disks;
using Crust.Tools;

namespace Crust.Tests.Formats;

/// <summary>A real OCI registry (CNCF Distribution, Debian's package docker-registry) on a free port of 127.0.0.1, without a login.</summary>
internal sealed partial class LocalRegistry : IAsyncDisposable
{
    private readonly RunningTool _tool;

    private LocalRegistry(RunningTool tool, string host) => (_tool, Host) = (tool, host);

    /// <summary>Its host and port.</summary>
    public string Host { get; }

    /// <summary>Starts it; it keeps what it is given below the folder.</summary>
    public static async Task<LocalRegistry> StartAsync(string folder, CancellationToken cancellation)
    {
        var config = Path.Combine(folder, "registry.yml");
        await File.WriteAllTextAsync(config, $$"""
            version: 0.1
            storage: { filesystem: { rootdirectory: '{{Path.Combine(folder, "registry")}}' } }
            http: { addr: '127.0.0.1:0' }
            """, cancellation);
        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var tool = SampleDisk.Tools.Start(ToolCommand.Of("docker-registry", "serve", config) with
        {
            WatchOutput = true,
            OnLine = line =>
            {
                if (Address().Match(line) is { Success: true } match)
                {
                    listening.TrySetResult(match.Groups[1].Value);
                }
            },
        });
        try
        {
            return new LocalRegistry(tool, await listening.Task.WaitAsync(cancellation));
        }
        catch
        {
            await tool.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _tool.DisposeAsync();

    [GeneratedRegex(@"listening on (127\.0\.0\.1:\d+)")]
    private static partial Regex Address();
}
