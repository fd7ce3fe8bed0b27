using System.Collections.Immutable;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Fleet;

/// <summary>A git repository on this host's disk, and keys that sign its commits.</summary>
internal sealed class GitRepository(string folder)
{
    private const string OpenPgp = "signer@example.org";

    private static ToolBox Tools { get; } = new(["/usr/bin", "/bin"], Logger.None);

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public string Folder => folder;

    /// <summary>Commits files, which are added to those that are there.</summary>
    /// <param name="signingKey">A private key of OpenSSH's, or a folder of GnuPG's with one; null for no signature.</param>
    /// <returns>The commit.</returns>
    public async Task<string> CommitAsync((string Name, string Text)[] files, string? signingKey = null)
    {
        if (!Directory.Exists(Path.Combine(folder, ".git")))
        {
            Directory.CreateDirectory(folder);
            await GitAsync("init", "-q", "-b", "main");
        }

        foreach (var (name, text) in files)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, name), text, Cancellation);
        }

        await GitAsync("add", "-A");
        string[] signature = signingKey is null ? [] : Directory.Exists(signingKey) ? ["-c", "gpg.format=openpgp", "-c", $"user.signingKey={OpenPgp}"] : ["-c", "gpg.format=ssh", "-c", $"user.signingKey={signingKey}"];
        await RunAsync(signingKey, [.. signature, "commit", "-q", "--allow-empty", "-m", "A change", .. signingKey is null ? Array.Empty<string>() : ["-S"]]);
        return (await GitAsync("rev-parse", "HEAD")).Trim();
    }

    public Task<string> GitAsync(params string[] arguments) => RunAsync(null, arguments);

    /// <summary>Makes a key pair of OpenSSH's; the public key has .pub behind it.</summary>
    public static async Task<string> SshKeyAsync(string path)
    {
        await Tools.RunAsync(ToolCommand.Of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", Path.GetFileName(path), "-f", path), Cancellation);
        return path;
    }

    /// <summary>Makes a folder of GnuPG's with a key pair; the public key is in the file that has .asc behind it.</summary>
    public static async Task<string> OpenPgpKeyAsync(string folder)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await Tools.RunAsync(ToolCommand.Of("gpg", "--homedir", folder, "--batch", "-q", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-generate-key", OpenPgp, "ed25519", "sign", "never"), Cancellation);
        await Tools.RunAsync(ToolCommand.Of("gpg", "--homedir", folder, "--batch", "-q", "--armor", "--export", "-o", $"{folder}.asc"), Cancellation);
        return folder;
    }

    /// <summary>Ends the agent that GnuPG has started for a folder.</summary>
    public static Task EndAgentAsync(string folder) => Tools.RunAsync(ToolCommand.Of("gpgconf", "--homedir", folder, "--kill", "all"), CancellationToken.None);

    private async Task<string> RunAsync(string? signingKey, string[] arguments) => (await Tools.RunAsync(ToolCommand.Of("git", ["-C", folder, .. arguments]) with
    {
        Environment = ImmutableDictionary<string, string>.Empty.AddRange([
            new("GIT_CONFIG_GLOBAL", "/dev/null"), new("GIT_CONFIG_NOSYSTEM", "1"), new("GIT_AUTHOR_NAME", "A"), new("GIT_AUTHOR_EMAIL", "a@example.org"),
            new("GIT_COMMITTER_NAME", "A"), new("GIT_COMMITTER_EMAIL", "a@example.org"), new("GNUPGHOME", signingKey ?? folder),
        ]),
    }, Cancellation)).Output;
}
