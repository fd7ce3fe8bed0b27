namespace Crust.Formats;

/// <summary>Images of one installed disk, by format. What several formats need is made once.</summary>
internal interface IImageParts
{
    /// <summary>
    /// The whole image in a format, made now if nobody has asked for it yet. It is there until all images are written, also
    /// where the user didn't ask for it.
    /// </summary>
    /// <exception cref="CrustException">It couldn't be written.</exception>
    Task<DraftImage> GetAsync(string format);
}

/// <summary>Makes images when they are first asked for, each once.</summary>
/// <param name="write">Writes one; ends soon once the build is cancelled.</param>
internal sealed class ImageParts(Func<IImageFormat, IImageParts, Task<DraftImage>> write) : IImageParts
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Task<DraftImage>> _images = [];

    public Task<DraftImage> GetAsync(string format)
    {
        lock (_lock)
        {
            if (!_images.TryGetValue(format, out var image))
            {
                // On another thread: a format may ask for its parts before it first waits, and then would do so within the lock.
                image = Task.Run(() => write(ImageFormats.Named(format), this));
                _images.Add(format, image);
            }

            return image;
        }
    }

    /// <summary>Waits until nothing is being written any more, whatever came of it.</summary>
    /// <returns>How each image's writing ended.</returns>
    public async Task<IReadOnlyCollection<Task<DraftImage>>> EndAsync()
    {
        for (var seen = 0; ;)
        {
            Task<DraftImage>[] images;
            lock (_lock)
            {
                images = [.. _images.Values];
            }

            if (images.Length == seen)
            {
                return images;
            }

            // One that is still being written may ask for another.
            seen = images.Length;
            await ((Task)Task.WhenAll(images)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
