namespace Crust.Seeds;

/// <summary>Gets a seed ready for the machine, by whatever carries it.</summary>
public sealed class SeedCourier(SeedVolume volumes)
{
    /// <summary>Writes the files that carry a seed.</summary>
    /// <param name="seed">What is told.</param>
    /// <param name="folder">An existing folder that only this user can enter.</param>
    /// <param name="cancellation">Ends the tools that write them.</param>
    /// <returns>The files, which go when it is disposed of.</returns>
    /// <exception cref="CrustException">A tool is missing or failed, or the folder can't be written.</exception>
    public async Task<SeedDelivery> PrepareAsync(Seed seed, string folder, CancellationToken cancellation) => new()
    {
        Volume = seed.Carrier is SeedCarrier.Volume ? await volumes.CreateAsync(seed, folder, cancellation) : null,
        FileSystem = seed.FileSystem,
        KernelArguments = seed.KernelArguments,
    };
}
