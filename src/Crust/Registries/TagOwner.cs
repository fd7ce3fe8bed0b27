using System.Text.Json;
using Crust.Oci;
using Crust.Spec;

namespace Crust.Registries;

/// <summary>Whose a tag is: what Crust has pushed under it for a name says so itself.</summary>
internal static class TagOwner
{
    /// <summary>Whether a manifest or an index is one of that name's.</summary>
    public static bool IsName(OciDocument document, string name)
    {
        try
        {
            using var json = JsonDocument.Parse(document.Json);
            return OciManifest.AnnotationsOf(json.RootElement).GetValueOrDefault(OciManifest.Title) == name;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Refuses to move a tag that names something else.</summary>
    /// <exception cref="CrustException">It does, and the user hasn't said that it may be moved.</exception>
    public static void Check(RegistryReference reference, OciDocument? there, string name, bool mayOverwrite)
    {
        if (there is not null && !mayOverwrite && !IsName(there, name))
        {
            throw new CrustException(FailureKind.BadInput, $"The tag names something else, which isn't an image of {name}: {there.Digest}", reference.ToString(),
                "choose another tag (publish.tag, TAG), or say that it may be moved: --overwrite-tag");
        }
    }
}
