namespace Crust.Isos;

/// <summary>A file that is put on a volume.</summary>
/// <param name="Name">Its path there, without a slash in front.</param>
/// <param name="OnHost">Where it is on this host; absolute.</param>
internal sealed record VolumeFile(string Name, string OnHost);
