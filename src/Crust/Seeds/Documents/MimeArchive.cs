using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Crust.Seeds.Documents;

/// <summary>A part of a user-data.</summary>
/// <param name="Text">What it holds; a MIME message with its headers becomes a part with parts of its own.</param>
/// <param name="IsCloudConfig">Whether it is a cloud-config; what else it is cloud-init sees by how it begins.</param>
/// <param name="MergeType">How its keys are merged with those of the parts before, in cloud-init's words; null for cloud-init's default.</param>
internal sealed record MimePart(string Text, bool IsCloudConfig, string? MergeType = null);

/// <summary>Several parts of a user-data as one (RFC 2046, multipart/mixed; cloud-init's documentation, "MIME multi-part archive").</summary>
internal static class MimeArchive
{
    // RFC 2045, section 6.8.
    private const int Base64Line = 76;

    /// <summary>The archive. Text of ASCII alone stands in it as it is, so that what is looked for in it can be found.</summary>
    public static string Write(ImmutableArray<MimePart> parts)
    {
        // A line that begins so would end a part.
        var boundary = Enumerable.Range(0, int.MaxValue).Select(i => $"crust-part-{i.ToString(CultureInfo.InvariantCulture)}")
            .First(word => !parts.Any(part => part.Text.Contains(word, StringComparison.Ordinal)));
        var text = new StringBuilder($"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\n");
        foreach (var part in parts)
            text.Append('\n').Append("--").Append(boundary).Append('\n').Append(PartOf(part));
        return text.Append('\n').Append("--").Append(boundary).Append("--\n").ToString();
    }

    private static string PartOf(MimePart part)
    {
        if (UserDataHeader.IsMime(part.Text))
            return part.Text.StartsWith("From ", StringComparison.Ordinal) ? part.Text[(part.Text.IndexOf('\n') + 1)..] : part.Text;
        var isPlain = part.Text.All(c => c is '\n' or '\t' or >= ' ' and <= '~');
        return $"Content-Type: {(part.IsCloudConfig ? "text/cloud-config" : "text/plain")}; charset=\"utf-8\"\nMIME-Version: 1.0\nContent-Transfer-Encoding: {(isPlain ? "7bit" : "base64")}\n"
            + $"{(part.MergeType is { } how ? $"Merge-Type: {how}\n" : "")}\n{(isPlain ? part.Text : Base64(part.Text))}";
    }

    private static string Base64(string text) => string.Join('\n', Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).Chunk(Base64Line).Select(line => new string(line)));
}
