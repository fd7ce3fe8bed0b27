using System.Text;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Downloads;

/// <summary>Checks with GnuPG's gpgv who has signed a list of checksums, or a file itself. Only the keys that a spec names count.</summary>
/// <param name="tools">Needs gpgv.</param>
/// <param name="cacheFolder">What gpgv reads is copied to a private folder there.</param>
internal sealed class ListSignature(ToolBox tools, string cacheFolder)
{
    public const string Program = "gpgv";

    private const int MostBytes = 16 << 20;
    private const string PublicKeys = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    private const string EndOfKeys = "-----END PGP PUBLIC KEY BLOCK-----";

    /// <summary>What was signed: the list, or what stands in it between the marks of a signature in the clear. Nothing else of it is to be believed.</summary>
    /// <param name="signature">The signature, or a list that is signed in the clear; null if it is in the list itself.</param>
    /// <param name="keys">A file of GPG's public keys: exported ones, armoured or not, or a keyring.</param>
    /// <param name="section">The section of the spec that names them.</param>
    /// <param name="where">What is checked, for messages.</param>
    /// <exception cref="CrustException">It isn't signed by one of the keys.</exception>
    public Task<byte[]> CheckAsync(byte[] list, byte[]? signature, string keys, string section, string where, CancellationToken cancellation) => CheckAsync(list, signature, keys, null, section, where, cancellation);

    /// <summary>The same of a list that one key has to have signed.</summary>
    /// <param name="fingerprint">Its fingerprint, 40 hex digits in upper case; null for any in the file.</param>
    /// <exception cref="CrustException">It isn't signed by that key.</exception>
    public async Task<byte[]> CheckAsync(byte[] list, byte[]? signature, string keys, string? fingerprint, string section, string where, CancellationToken cancellation)
    {
        var ring = ReadKeys(keys, section);
        var inTheClear = signature is null ? list : SignedText.IsIn(Encoding.UTF8.GetString(signature)) ? signature : null;
        if (signature is null && !SignedText.IsIn(Encoding.UTF8.GetString(list)))
        {
            throw Bad("The list of checksums isn't signed", where, $"name its signature in {section}.sha256Signature (SHA256SUMS.sign, SHA256SUMS.gpg, *.asc), or leave {section}.key out");
        }

        using var scratch = new ScratchFolder(cacheFolder);
        var output = Path.Combine(scratch.Path, "signed");
        string[] what = inTheClear is not null ? ["--output", output, "--", Keep(scratch, "list.asc", inTheClear)]
            : ["--", Keep(scratch, "list.sig", signature!), Keep(scratch, "list", list)];
        await CheckAsync(scratch, ring, what, inTheClear is not null, new Signed("list of checksums", keys, section, where) { Fingerprint = fingerprint }, cancellation);
        return inTheClear is null ? list : await File.ReadAllBytesAsync(output, cancellation);
    }

    /// <summary>Checks the detached signature of a file.</summary>
    /// <param name="keys">As above.</param>
    /// <param name="file">What the file is, for messages.</param>
    /// <param name="where">What is checked, for messages.</param>
    /// <exception cref="CrustException">It isn't signed by one of the keys.</exception>
    public async Task CheckFileAsync(string path, byte[] signature, string keys, SourceFile file, string where, CancellationToken cancellation)
    {
        var ring = ReadKeys(keys, file.Section);
        using var scratch = new ScratchFolder(cacheFolder);
        await CheckAsync(scratch, ring, ["--", Keep(scratch, "file.sig", signature), Path.GetFullPath(path)], false, new Signed(file.Noun, keys, file.Section, where), cancellation);
    }

    private async Task CheckAsync(ScratchFolder scratch, byte[] ring, string[] what, bool hasText, Signed signed, CancellationToken cancellation)
    {
        var result = await tools.RunAsync(ToolCommand.Of(Program, ["--homedir", scratch.Path, "--status-fd", "1", "--keyring", Keep(scratch, "keys.gpg", ring), .. what]) with
        {
            // What it ends with is judged by what it says.
            SuccessCodes = [.. Enumerable.Range(0, 256)],
        }, cancellation);
        var status = GpgStatus.Of(result.Output);
        // There may be several signatures, of keys old and new: one that is trusted is enough. A signature that carries its own text says nothing of what it is for.
        var isGood = status.Any(line => line.Keyword == "GOODSIG") && status.Any(line => line.Keyword == "VALIDSIG")
            && status.All(line => line.Keyword != "BADSIG") && status.Any(line => line.Keyword == "PLAINTEXT") == hasText;
        if (!isGood)
        {
            throw Bad(Problem(status, signed), signed.Where, $"see that {signed.Noun}, signature and key belong together; the vendor says which key signs, and {signed.Keys} has to hold it",
                result.Error.Trim());
        }

        // Its last argument is the fingerprint of the primary key, the first that of the key itself (GnuPG's doc/DETAILS).
        if (signed.Fingerprint is { } fingerprint && !status.Any(line => line.Keyword == "VALIDSIG" && (line.Arguments[0] == fingerprint || line.Arguments[^1] == fingerprint)))
        {
            throw Bad($"The {signed.Noun} is signed by another key than the one that it has to be", signed.Where, $"put the key {fingerprint} alone into {signed.Keys}");
        }
    }

    private static string Keep(ScratchFolder scratch, string name, byte[] bytes)
    {
        var path = Path.Combine(scratch.Path, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static string Problem(IReadOnlyCollection<GpgStatus> status, Signed signed)
    {
        bool Has(string keyword) => status.Any(line => line.Keyword == keyword);
        return Has("BADSIG") ? $"The signature of the {signed.Noun} is wrong: the {signed.Noun} was changed after it was signed"
            : Has("EXPKEYSIG") ? $"The key that signed the {signed.Noun} has expired"
            : Has("REVKEYSIG") ? $"The key that signed the {signed.Noun} was revoked"
            : Has("EXPSIG") ? $"The signature of the {signed.Noun} has expired"
            : status.FirstOrDefault(line => line.Keyword == "NO_PUBKEY") is { } missing
                ? $"The {signed.Noun} is signed by the key {missing.Arguments.FirstOrDefault()}, which isn't among those of {signed.Section}.key"
            : Has("GOODSIG") ? $"The signature isn't one of the {signed.Noun}, but of a text of its own"
            : Has("NODATA") ? $"What is given as the signature of the {signed.Noun} is no OpenPGP signature"
            : $"The signature of the {signed.Noun} can't be checked";
    }

    /// <summary>The public keys in a file, as GPG exports them without armour.</summary>
    /// <exception cref="CrustException">There are none.</exception>
    internal static byte[] ReadKeys(string keys, string section)
    {
        var where = $"{section}.key: {keys}";
        var bytes = UserFile.ReadSmall(keys, where, "key's", MostBytes, "export the vendor's public key alone: gpg --export KEY");
        // A packet's first octet has its highest bit set (RFC 9580, section 4.2); a keybox has its magic at offset 8.
        if (bytes is [>= 0x80, ..] and not [0xef, 0xbb, 0xbf, ..] || bytes.AsSpan() is { Length: > 12 } span && span[8..].StartsWith("KBXf"u8))
        {
            return bytes;
        }

        var text = Encoding.UTF8.GetString(bytes);
        return Unarmour(text) is { Length: > 0 } ring ? ring
            : throw Bad(text.Contains("PRIVATE KEY", StringComparison.Ordinal) ? "The file of keys holds a private key" : "There is no GPG public key in the file of keys", where,
                "name a file with the vendor's public key, as gpg --export KEY writes it, with --armor or without");
    }

    // gpgv reads keyrings in binary only (RFC 9580, section 6.2: headers, an empty line, Base64, a checksum behind an equals sign).
    private static byte[] Unarmour(string text)
    {
        using var ring = new MemoryStream();
        var lines = text.Split('\n').Select(line => line.Trim()).ToList();
        for (var start = lines.IndexOf(PublicKeys); start >= 0; start = lines.IndexOf(PublicKeys, start + 1))
        {
            var body = lines.Skip(start + 1).TakeWhile(line => line != EndOfKeys).SkipWhile(line => line.Length > 0).Where(line => line.Length > 0 && line[0] != '=');
            var base64 = string.Concat(body);
            var key = new byte[base64.Length];
            if (!Convert.TryFromBase64String(base64, key, out var length))
            {
                return [];
            }

            ring.Write(key, 0, length);
        }

        return ring.ToArray();
    }

    private static CrustException Bad(string what, string where, string remedy, string said = "") => new(FailureKind.BadInput, what, where, remedy) { Detail = said };

    /// <summary>What is signed, for messages.</summary>
    /// <param name="Keys">The file of keys.</param>
    /// <param name="Section">The section of the spec that names it.</param>
    private sealed record Signed(string Noun, string Keys, string Section, string Where)
    {
        /// <summary>The one key that has to have signed it; null for any of the keys.</summary>
        public string? Fingerprint { get; init; }
    }
}
