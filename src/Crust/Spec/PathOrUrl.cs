using System.Diagnostics.CodeAnalysis;

namespace Crust.Spec;

/// <summary>What a key names by a path or by a URL.</summary>
internal static class PathOrUrl
{
    /// <summary>Whether it is a URL; a path otherwise.</summary>
    internal static bool IsUrl(string text) => IsUrl(text, out _);

    internal static bool IsUrl(string text, [NotNullWhen(true)] out Uri? url)
    {
        url = null;
        return text.Contains("://") && Uri.TryCreate(text, UriKind.Absolute, out url);
    }
}
