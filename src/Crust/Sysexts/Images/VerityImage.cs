using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Sysexts.Images;

/// <summary>
/// A discoverable disk image: a squashfs, its dm-verity hashes, and their signature where a key is given (UAPI group, "Discoverable Partitions Specification"; "Verity
/// Signature Partition"). The partitions have the root hash's halves as their identities, by which systemd finds the hash.
/// </summary>
internal sealed partial class VerityImage(ToolBox tools, SquashfsImage data) : ISysextImage
{
    private const int SignatureLength = 16 << 10;

    public SysextFormat Format => SysextFormat.Ddi;

    public async Task WriteAsync(SysextPlan plan, FileTree tree, string path, string scratch, CancellationToken cancellation)
    {
        var (squashfs, hashes) = (Path.Combine(scratch, "root.squashfs"), Path.Combine(scratch, "root.verity"));
        await data.WriteAsync(plan, tree, squashfs, scratch, cancellation);
        byte[] seed;
        await using (var file = File.OpenRead(squashfs))
        {
            seed = await SHA256.HashDataAsync(file, cancellation);
        }

        var formatted = await tools.RunAsync(ToolCommand.Of("veritysetup", "format", "--hash=sha256", $"--salt={Convert.ToHexStringLower(seed)}", $"--uuid={new Guid(seed.AsSpan(0, 16), bigEndian: true)}", squashfs, hashes), cancellation);
        var hash = RootHash().Match(formatted.Output) is { Success: true } match ? Convert.FromHexString(match.Groups["hash"].Value) : throw new IOException("veritysetup printed no root hash");
        var parts = new List<GptPart>
        {
            new(TypeOf(plan.Arch, Part.Root), new Guid(hash.AsSpan(0, 16), bigEndian: true), NameOf(plan.Arch, ""), squashfs, null),
            new(TypeOf(plan.Arch, Part.Verity), new Guid(hash.AsSpan(16), bigEndian: true), NameOf(plan.Arch, "-verity"), hashes, null),
        };
        if (plan.Signer is { } signer)
        {
            var document = new byte[SignatureLength];
            (await SignAsync(Convert.ToHexStringLower(hash), signer, scratch, cancellation)).CopyTo(document, 0);
            parts.Add(new(TypeOf(plan.Arch, Part.Signature), new Guid(SHA256.HashData(document).AsSpan(0, 16), bigEndian: true), NameOf(plan.Arch, "-verity-sig"), null, document));
        }

        await GptFile.WriteAsync(path, new Guid(SHA256.HashData(hash).AsSpan(0, 16), bigEndian: true), parts, cancellation);
    }

    private async Task<byte[]> SignAsync(string hash, (string Key, string Certificate) signer, string scratch, CancellationToken cancellation)
    {
        var (text, signature) = (Path.Combine(scratch, "roothash"), Path.Combine(scratch, "roothash.p7s"));
        await File.WriteAllTextAsync(text, hash, cancellation);
        byte[] der;
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(UserFile.Read(signer.Certificate, signer.Certificate, "certificate"));
            der = certificate.RawData;
        }
        catch (CryptographicException e)
        {
            throw new CrustException(FailureKind.BadInput, "It is no certificate in PEM", signer.Certificate, "name the X.509 certificate that belongs to the key", e);
        }

        RegularFile.Require(signer.Key, "key", "name a private key in PEM");
        try
        {
            // Without attributes there is no time in it; a key that is encrypted is refused, not asked for on a terminal.
            await tools.RunAsync(ToolCommand.Of("openssl", "smime", "-sign", "-binary", "-nocerts", "-noattr", "-md", "sha256", "-in", text, "-inkey", Path.GetFullPath(signer.Key),
                "-passin", "pass:", "-signer", Path.GetFullPath(signer.Certificate), "-outform", "der", "-out", signature), cancellation);
        }
        catch (ToolFailedException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The key can't sign: {e.What}", $"{signer.Key}, {signer.Certificate}", "name an RSA key in PEM that isn't encrypted, and its own certificate", e);
        }

        return JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string>
        {
            ["rootHash"] = hash,
            ["certificateFingerprint"] = Convert.ToHexStringLower(SHA256.HashData(der)),
            ["signature"] = Convert.ToBase64String(await File.ReadAllBytesAsync(signature, cancellation)),
        });
    }

    private static string NameOf(Arch arch, string suffix) => $"root-{SysextFile.ArchName(arch)}{suffix}";

    // Discoverable Partitions Specification, "Partition Type UUIDs".
    private static Guid TypeOf(Arch arch, Part part) => Guid.Parse((arch, part) switch
    {
        (Arch.Amd64, Part.Root) => "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
        (Arch.Amd64, Part.Verity) => "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
        (Arch.Amd64, _) => "41092b05-9fc8-4523-994f-2def0408b176",
        (_, Part.Root) => "b921b045-1df0-41c3-af44-4c6f280d3fae",
        (_, Part.Verity) => "df3300ce-d69f-4c92-978c-9bfb0f38d820",
        _ => "6db69de6-29f4-4758-a7a5-962190f00ce3",
    }, CultureInfo.InvariantCulture);

    private enum Part
    {
        Root,

        Verity,

        Signature,
    }

    [GeneratedRegex(@"^Root hash:\s*(?<hash>[0-9a-f]{64})$", RegexOptions.Multiline)]
    private static partial Regex RootHash();
}
