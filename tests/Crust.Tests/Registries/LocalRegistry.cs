using System.Text.RegularExpressions;
using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Registries;

/// <summary>A real OCI registry (CNCF Distribution, Debian's package docker-registry) on a free port of 127.0.0.1; without a login and without TLS, if it isn't told otherwise.</summary>
internal sealed partial class LocalRegistry : IAsyncDisposable
{
    /// <summary>The login of registries that want one, as an auth file has it: name and password.</summary>
    public const string Login = "edge:registry-secret-7";

    // Its password's hash by bcrypt, which is the one that this registry takes.
    private const string PasswordFile = "edge:$2b$04$oen6j0cJi/80tcUNyb8zaOKr5EASgmXT1SjNCvmeZZ8oUxdYqwqvG\n";

    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);

    private readonly RunningTool _tool;

    private LocalRegistry(RunningTool tool, string host, string folder) => (_tool, Host, Folder) = (tool, host, folder);

    /// <summary>Its host and port.</summary>
    public string Host { get; }

    /// <summary>Where it keeps what it is given; its test may put files there, too. It is gone with the registry.</summary>
    public string Folder { get; }

    /// <summary>Starts it.</summary>
    public static Task<LocalRegistry> StartAsync(CancellationToken cancellation) => StartAsync(wantsLogin: false, null, cancellation);

    /// <summary>Starts one that wants a login, or that speaks TLS with a certificate (`&lt;prefix&gt;.crt` and `&lt;prefix&gt;.key`).</summary>
    public static async Task<LocalRegistry> StartAsync(bool wantsLogin, string? certificate, CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("crust-registry-").FullName;
        var passwords = Path.Combine(folder, "htpasswd");
        await File.WriteAllTextAsync(passwords, PasswordFile, cancellation);
        var config = Path.Combine(folder, "registry.yml");
        await File.WriteAllTextAsync(config, $$"""
            version: 0.1
            storage: { filesystem: { rootdirectory: '{{Path.Combine(folder, "registry")}}' } }
            http: { addr: '127.0.0.1:0'{{(certificate is null ? "" : $", tls: {{ certificate: '{certificate}.crt', key: '{certificate}.key' }}")}} }
            {{(wantsLogin ? $"auth: {{ htpasswd: {{ realm: test, path: '{passwords}' }} }}" : "")}}
            """, cancellation);
        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var tool = Tools.Start(ToolCommand.Of("docker-registry", "serve", config) with
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
            return new LocalRegistry(tool, await listening.Task.WaitAsync(cancellation), folder);
        }
        catch
        {
            await tool.DisposeAsync();
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Ends it; more than once, if a test has ended it already.</summary>
    public async ValueTask DisposeAsync()
    {
        await _tool.DisposeAsync();
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    [GeneratedRegex(@"listening on (127\.0\.0\.1:\d+)")]
    private static partial Regex Address();
}
