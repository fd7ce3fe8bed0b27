using Crust.Formats.Splicing;
using Crust.Spec;

namespace Crust.Fleet;

/// <summary>What each node gets.</summary>
public enum FleetForm
{
    /// <summary>Its seed as an ISO, beside an image that all share.</summary>
    Seed,

    /// <summary>Its seed as a FAT volume.</summary>
    Vfat,

    /// <summary>A qcow2 over the image that all share, with the seed in the seed partition.</summary>
    Overlay,

    /// <summary>A whole image of the base's format, with the seed in the seed partition.</summary>
    Image,
}

internal static class FleetForms
{
    /// <summary>Whether it is made of a base.</summary>
    public static bool NeedsBase(this FleetForm form) => form is FleetForm.Overlay or FleetForm.Image;

    /// <summary>What the name of a node's file ends with.</summary>
    /// <param name="image">The extension of the base's format.</param>
    public static string ExtensionOf(this FleetForm form, string image) => form switch
    {
        FleetForm.Seed => ".seed.iso",
        FleetForm.Vfat => ".seed.img",
        FleetForm.Overlay => ".overlay" + ImageOverlay.Extension,
        _ => image,
    };

    /// <exception cref="CrustException">There is no such form.</exception>
    public static FleetForm Parse(string text) => Enum.GetValues<FleetForm>().Cast<FleetForm?>().FirstOrDefault(form => form!.Value.LowerName() == text)
        ?? throw new CrustException(FailureKind.BadInput, $"'{text}' is nothing that a node can get", "option --as", Nearest.Suggest(text,
            [.. Enum.GetValues<FleetForm>().Select(form => form.LowerName())]));
}
