using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace Crust.Tests.Machine;

/// <summary>
/// Starts a fixture before the others of its namespace and those of namespaces below it, or a test before the others of its fixture: what takes longest begins first, so that no worker
/// is left with it while the others have nothing to do any more. No test relies on it.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class StartsEarlyAttribute(int place) : NUnitAttribute, IApplyToTest
{
    /// <summary>Its place among those that start early, from 1.</summary>
    public int Place { get; } = place;

    public void ApplyToTest(Test test) => test.Properties.Set(PropertyNames.Order, Place);
}
