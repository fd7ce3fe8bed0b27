namespace Crust.Storage;

/// <summary>
/// A hidden folder inside the images folder in which images get ready. It is removed with whatever is left in it, so
/// that a failed or cancelled build leaves nothing.
/// </summary>
internal sealed class DraftFolder : IDisposable
{
    private const string Prefix = ".crust-";

    private readonly HeldFolder _held;

    private DraftFolder(HeldFolder held) => _held = held;

    public string Path => _held.Path;

    /// <summary>Makes a draft folder, after removing those of builds that were killed.</summary>
    /// <exception cref="CrustException">The images folder can't be written.</exception>
    public static DraftFolder Create(string imagesFolder)
    {
        try
        {
            Directory.CreateDirectory(imagesFolder);
            return new DraftFolder(HeldFolder.Create(imagesFolder, Prefix));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The images folder can't be written: {e.Message}", imagesFolder,
                "make it writable, or choose another with --output", e);
        }
    }

    public void Dispose() => _held.Dispose();
}
