using Crust.Seeds;

namespace Crust.Cli.Views;

internal static class SeedView
{
    /// <summary>Each document under a line with its name. What isn't part of a document is a comment.</summary>
    public static void Write(SeedListing listing, TextWriter output)
    {
        output.WriteLine($"# {Describe(listing)}");
        foreach (var document in listing.Documents)
        {
            output.WriteLine($"# --- {document.Name}{(document.Secrets.IsEmpty ? "" : $" (secret: {string.Join(", ", document.Secrets)})")}");
            output.Write(document.WithPlaces ?? document.Text);
            if (!document.Text.EndsWith('\n'))
            {
                output.WriteLine();
            }
        }

        foreach (var file in listing.Files)
        {
            output.WriteLine($"# --- {file} (a file that rides along as it is)");
        }
    }

    private static string Describe(SeedListing listing) => string.Join(", ", new[]
    {
        $"{listing.Kind} seed",
        listing.Profile is { } profile ? $"for {profile}" : "for an unknown system",
        listing.Label is { } label ? $"on a volume labelled {label}" : $"carried by: {listing.Carrier}",
        listing.KernelArguments.Length > 0 ? $"with the kernel's arguments {listing.KernelArguments}" : null,
    }.OfType<string>());
}
