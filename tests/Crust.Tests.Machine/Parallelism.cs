// Each machine keeps about one core busy under TCG, and CI's hosts have two; but a third of what tests do is to wait: for deadlines, for guests that hang, for downloads. What says nothing
// else runs beside the others; what is marked NonParallelizable, alone at the end.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(3)]
