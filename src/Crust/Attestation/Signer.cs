using System.Collections.Immutable;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Attestation;

/// <summary>A signature beside the file that it is for.</summary>
/// <param name="Key">The fingerprint of the key that made it.</param>
internal sealed record DetachedSignature(string Path, string Key);

/// <summary>Signs files with OpenSSH's and GnuPG's own programs. Keys and passphrases stay with these and their agents; none is ever in an argv.</summary>
/// <param name="tools">Needs ssh-keygen or gpg.</param>
/// <param name="folders">Give a place for a trial.</param>
internal sealed class Signer(ToolBox tools, Folders folders)
{
    /// <summary>What OpenSSH's signatures are made for: one that was made for another purpose isn't taken for one of these (ssh-keygen(1), -n).</summary>
    public const string Namespace = "crust-provenance";

    internal const string SshExtension = ".sig";

    internal const string GpgExtension = ".asc";

    private static readonly ImmutableArray<string> Extensions = [SshExtension, GpgExtension];

    /// <summary>The paths at which signatures of a file may stand.</summary>
    internal static ImmutableArray<string> PlacesFor(string file) => [.. Extensions.Select(extension => file + extension)];

    /// <summary>Signs something that is thrown away, so that a key that can't is told before anything dear is done.</summary>
    /// <returns>The key's fingerprint.</returns>
    /// <exception cref="CrustException">The key can't sign.</exception>
    internal async Task<string> TryAsync(SignSpec sign, CancellationToken cancellation)
    {
        using var folder = new ScratchFolder(folders.Cache);
        var file = Path.Combine(folder.Path, "trial");
        await File.WriteAllTextAsync(file, "a trial\n", cancellation);
        return (await SignAsync(sign, file, cancellation)).Key;
    }

    /// <summary>Signs a file; the signature stands beside it.</summary>
    /// <exception cref="CrustException">The key can't sign.</exception>
    internal Task<DetachedSignature> SignAsync(SignSpec sign, string file, CancellationToken cancellation) => sign.Key is { } key
        ? SignBySshAsync(key, file, cancellation)
        : SignByGpgAsync(sign.GpgKey!, sign.Passphrase, file, cancellation);

    private async Task<DetachedSignature> SignBySshAsync(string key, string file, CancellationToken cancellation)
    {
        // Looks the same whether the file isn't there, or isn't a key.
        if (!File.Exists(key))
        {
            throw new CrustException(FailureKind.BadInput, "The key that signs doesn't exist", key, "set sign.key to an OpenSSH key's file, private or public");
        }

        try
        {
            var shown = await tools.RunAsync(ToolCommand.Of("ssh-keygen", "-l", "-E", "sha256", "-f", key), cancellation);
            await tools.RunAsync(ToolCommand.Of("ssh-keygen", "-Y", "sign", "-q", "-f", key, "-n", Namespace, file) with
            {
                Inherits = ToolEnvironment.Signing,
                // It would ask for a passphrase on the terminal, in the middle of what Crust shows there.
                Environment = ImmutableDictionary<string, string>.Empty.Add("SSH_ASKPASS_REQUIRE", "force").Add("SSH_ASKPASS", "/bin/false"),
            }, cancellation);
            return new DetachedSignature(file + SshExtension, shown.Output.Split(' ').ElementAtOrDefault(1) ?? "");
        }
        catch (ToolFailedException e)
        {
            var reason = LastLine(e.Result.Error);
            throw new CrustException(FailureKind.BadInput, $"The key can't sign: {(reason.Length > 0 ? reason : e.What)}", key,
                "if it has a passphrase, put it into ssh-agent (ssh-add) before; if it isn't an OpenSSH key, name one that is", e);
        }
    }

    private async Task<DetachedSignature> SignByGpgAsync(string key, Secret? passphrase, string file, CancellationToken cancellation)
    {
        var signature = file + GpgExtension;
        // Without a passphrase only the agent may know it: gpg is not to ask on the terminal.
        ImmutableArray<string> unlock = passphrase is null ? ["--pinentry-mode", "error"] : ["--pinentry-mode", "loopback", "--passphrase-fd", "0"];
        try
        {
            var result = await tools.RunAsync(ToolCommand.Of("gpg",
                ["--batch", "--yes", "--no-tty", .. unlock, "--status-fd", "1", "--local-user", key, "--armor", "--output", signature, "--detach-sign", "--", file]) with
            {
                Inherits = ToolEnvironment.Signing,
                Input = passphrase is null ? "" : passphrase.Reveal() + "\n",
            }, cancellation);
            // "[GNUPG:] SIG_CREATED D 22 8 00 1700000000 FINGERPRINT" (GnuPG's doc/DETAILS).
            var fingerprint = GpgStatus.Of(result.Output).Where(line => line.Keyword == "SIG_CREATED").Select(line => line.Arguments.ElementAtOrDefault(5)).FirstOrDefault();
            return new DetachedSignature(signature, fingerprint ?? "");
        }
        catch (ToolFailedException e)
        {
            var reason = LastLine(e.Result.Error);
            throw new CrustException(FailureKind.BadInput, $"The key can't sign: {(reason.Length > 0 ? reason : e.What)}", $"GPG key {key}",
                "see with gpg --list-secret-keys that it is there and hasn't expired; if it has a passphrase, give it in SIGN_PASSPHRASE or sign.passphraseFile, or have gpg-agent know it", e);
        }
    }

    private static string LastLine(string text) => text.Split('\n').Select(line => line.Trim()).LastOrDefault(line => line.Length > 0) ?? "";
}
