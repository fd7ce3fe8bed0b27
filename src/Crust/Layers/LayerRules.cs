using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Layers;

/// <summary>What must hold between the layers of a spec.</summary>
internal static class LayerRules
{
    /// <exception cref="CrustException">Two of them would undo each other's work.</exception>
    public static ImmutableArray<LayerSpec> Checked(ImmutableArray<LayerSpec> layers)
    {
        if (layers.OfType<LayerSpec.Users>().Skip(1).FirstOrDefault() is { } second)
        {
            throw new CrustException(FailureKind.BadInput, "There are two layers of users, and cloud-init takes the list of the last alone", second.Where, "put all users into one layer");
        }

        if (layers.OfType<LayerSpec.FirstBoot>().Skip(1).FirstOrDefault() is { } another)
        {
            throw new CrustException(FailureKind.BadInput, "There are two firstBoot layers, and a node has one first boot", another.Where, "have one repository's setup.sh run what the other one has");
        }

        if (layers.OfType<LayerSpec.K3s>().Skip(1).FirstOrDefault() is { } twice)
        {
            throw new CrustException(FailureKind.BadInput, "There are two layers k3s, and a machine is one node", twice.Where, "leave one of them");
        }

        // systemd-sysupdate reads one file of keys, whatever it updates.
        var keys = layers.OfType<LayerSpec.Sysext>().Where(layer => layer.Source is SysextOrigin.Published { Key: not null }).ToList();
        return keys.FirstOrDefault(layer => ((SysextOrigin.Published)layer.Source).Key != ((SysextOrigin.Published)keys[0].Source).Key) is { } other
            ? throw new CrustException(FailureKind.BadInput, "Two layers bring keys of their own, and systemd-sysupdate reads one file of them", other.Where,
                "put the public keys of both publishers into one file, and name it in both layers")
            : layers;
    }
}
