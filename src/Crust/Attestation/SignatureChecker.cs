using System.Globalization;
using System.Text;
using Crust.Tools;

namespace Crust.Attestation;

/// <param name="Signer">The signer's name: a principal of the allowed-signers file, or a GPG key's user id.</param>
/// <param name="Key">The key's fingerprint.</param>
internal sealed record SignedBy(string Signer, string Key);

/// <summary>Checks signatures with OpenSSH's and GnuPG's own programs, against keys that a user trusts, and none beside these.</summary>
/// <param name="tools">Needs ssh-keygen or gpg.</param>
/// <param name="what">What is signed, for messages.</param>
internal sealed class SignatureChecker(ToolBox tools, string what = "the provenance")
{
    private const string ArmoredKeys = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    private const int MostBytes = 16 << 20;

    /// <summary>Checks the signature of a file that stands beside it.</summary>
    /// <param name="keys">An allowed-signers file of OpenSSH, or GPG's public keys: exported ones, armored or not, or a keyring.</param>
    /// <exception cref="CrustException">It isn't signed by one of these keys; or the keys are none.</exception>
    public async Task<SignedBy> CheckAsync(string file, string keys, string scratch, CancellationToken cancellation)
    {
        var bytes = ReadKeys(keys);
        var isGpg = IsGpg(bytes);
        var signature = file + (isGpg ? Signer.GpgExtension : Signer.SshExtension);
        if (!File.Exists(signature))
        {
            var other = Signer.PlacesFor(file).FirstOrDefault(File.Exists);
            throw new CrustException(FailureKind.BadInput, other is null ? $"{What} isn't signed"
                : $"{What} is signed by {(isGpg ? "an OpenSSH" : "a GPG")} key, and the keys given are {(isGpg ? "GPG's" : "OpenSSH's")}",
                signature, other is null ? "get the signature from where the image came from, or build with sign.key or sign.gpgKey" : $"name the keys that fit to {Path.GetFileName(other)}");
        }

        return isGpg ? await CheckGpgAsync(file, signature, keys, bytes, scratch, cancellation) : await CheckSshAsync(file, signature, keys, cancellation);
    }

    private async Task<SignedBy> CheckSshAsync(string file, string signature, string keys, CancellationToken cancellation)
    {
        var found = await RunAsync(ToolCommand.Of("ssh-keygen", "-Y", "find-principals", "-s", signature, "-f", keys), cancellation);
        var principal = found.Output.Split('\n')[0].Trim();
        if (found.ExitCode != 0 || principal.Length == 0)
        {
            throw Bad($"{What} is signed by a key that isn't among the allowed signers, or isn't any more", signature, keys, found.Error);
        }

        // Several principals may share a key, with commas; any of them will do.
        principal = principal.Split(',')[0];
        var verified = await RunAsync(ToolCommand.Of("ssh-keygen", "-Y", "verify", "-f", keys, "-I", principal, "-n", Signer.Namespace, "-s", signature) with { InputFile = file }, cancellation);
        if (verified.ExitCode != 0)
        {
            throw Bad($"{What}'s signature is wrong: it was changed after it was signed, or the key may not sign it", signature, keys, verified.Error + verified.Output);
        }

        // Good "crust-provenance" signature for NAME with ED25519 key SHA256:…
        return new SignedBy(principal, verified.Output.Trim().Split(' ')[^1]);
    }

    private async Task<SignedBy> CheckGpgAsync(string file, string signature, string keys, byte[] bytes, string scratch, CancellationToken cancellation)
    {
        // A home of its own: no key of the user's keyring counts, and nothing is written to it.
        var home = Directory.CreateDirectory(Path.Combine(scratch, "gpg"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        string[] options = ["--homedir", home, "--batch", "--no-tty", "--no-autostart", "--trust-model", "always", "--status-fd", "1"];
        if (IsKeybox(bytes))
        {
            await File.WriteAllBytesAsync(Path.Combine(home, "pubring.kbx"), bytes, cancellation);
        }
        else
        {
            var import = await RunAsync(ToolCommand.Of("gpg", [.. options, "--import", "--", Path.GetFullPath(keys)]), cancellation);
            if (!GpgStatus.Of(import.Output).Any(line => line.Keyword == "IMPORT_OK"))
            {
                throw new CrustException(FailureKind.BadInput, "There is no GPG key in the file of keys", keys, "export the signer's public key into it: gpg --armor --export KEY")
                {
                    Detail = import.Error.Trim(),
                };
            }
        }

        var result = await RunAsync(ToolCommand.Of("gpg", [.. options, "--verify", "--", signature, file]), cancellation);
        var status = GpgStatus.Of(result.Output);
        // gpg ends with 0 for signatures of keys that have expired, too.
        var good = status.FirstOrDefault(line => line.Keyword == "GOODSIG");
        var valid = status.FirstOrDefault(line => line.Keyword == "VALIDSIG");
        if (result.ExitCode != 0 || good is null || valid is null || status.Count(line => line.Keyword == "NEWSIG") != 1)
        {
            throw Bad(GpgProblem(status), signature, keys, result.Error);
        }

        return new SignedBy(string.Join(' ', good.Arguments.Skip(1)), valid.Arguments.FirstOrDefault() ?? "");
    }

    private string GpgProblem(IReadOnlyCollection<GpgStatus> status)
    {
        bool Has(string keyword) => status.Any(line => line.Keyword == keyword);
        return Has("BADSIG") ? $"{What}'s signature is wrong: it was changed after it was signed"
            : Has("EXPKEYSIG") ? $"The key that signed {what} has expired"
            : Has("REVKEYSIG") ? $"The key that signed {what} was revoked"
            : Has("EXPSIG") ? $"{What}'s signature has expired"
            : Has("NO_PUBKEY") ? $"{What} is signed by a key that isn't among the keys given"
            : $"{What}'s signature can't be checked";
    }

    /// <summary>Whether a file holds keys of GPG; else they are OpenSSH's.</summary>
    /// <exception cref="CrustException">It can't be read.</exception>
    public static bool HoldsGpgKeys(string keys) => IsGpg(ReadKeys(keys));

    private string What => char.ToUpperInvariant(what[0]) + what[1..];

    private static byte[] ReadKeys(string keys) => Spec.UserFile.ReadSmall(keys, keys, "keys'", MostBytes, "export the signer's public key alone: gpg --export KEY");

    // An OpenPGP packet's first octet has its highest bit set (RFC 4880, section 4.2); an allowed-signers file is text.
    private static bool IsGpg(byte[] bytes) =>
        IsKeybox(bytes) || (bytes.Length > 0 && bytes[0] >= 0x80 && bytes[0] != 0xEF) || Encoding.UTF8.GetString(bytes).Contains(ArmoredKeys, StringComparison.Ordinal);

    // GnuPG's keybox: the first blob's magic stands at offset 8.
    private static bool IsKeybox(byte[] bytes) => bytes.AsSpan().Length > 12 && bytes.AsSpan(8, 4).SequenceEqual("KBXf"u8);

    private async Task<ToolResult> RunAsync(ToolCommand command, CancellationToken cancellation)
    {
        // What these programs end with is judged here.
        return await tools.RunAsync(command with { SuccessCodes = [.. Enumerable.Range(0, 256)] }, cancellation);
    }

    private static CrustException Bad(string what, string signature, string keys, string said) => new(FailureKind.BadInput, what, signature,
        string.Create(CultureInfo.InvariantCulture, $"don't use the image unless you know why; if its signer is to be trusted, add the key to {keys}"))
    {
        Detail = said.Trim(),
    };
}
