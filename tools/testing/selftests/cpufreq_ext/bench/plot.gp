# SPDX-License-Identifier: GPL-2.0-only
# Draw what "report -p" wrote: gnuplot -e "data='FILE'; picture='FILE.svg';
# policies=1" plot.gp, or policies=0 if costs by number of policies are not in it
set terminal svg size 900,820 font "sans,13" background "white"
set output picture
set multiplot

set origin 0, 0.4
set size 1, 0.6
set title "A decision that leaves the frequency as it is (1 CPU)"
set style data boxes
set boxwidth 0.7
set style fill solid 0.8
set xtics rotate by -35 scale 0
set grid ytics
set ylabel "instructions"
set yrange [0:*]
set offsets 0, 0, graph 0.1, 0
plot data index 0 using 0:2:xtic(1) notitle linecolor "#3465a4", \
	data index 0 using 0:2:2 with labels offset 0, 0.7 notitle

if (policies) {
	set origin 0, 0
	set size 1, 0.4
	set title "BPF ondemand, by the number of policies"
	unset offsets
	set xtics norotate scale 1 autofreq
	set xrange [0:*]
	set xlabel "policies"
	set ylabel "thousand instructions"
	set key left top
	plot for [i = 1:3] data index i using 1:2 with linespoints linewidth 2 \
		pointtype 7 pointsize 0.6 title columnheader(1)
}
unset multiplot
