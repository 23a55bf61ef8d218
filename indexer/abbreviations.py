"""Words after which a full stop may not end the sentence: Indonesian and English, without their last stop.

Every set but `STARTERS` and `AFTER_CLOCK` is in lower case. Dotted forms that follow a pattern ("U.S", "S.H",
"M.Kom", "B.J") need no entry: `sentences` knows them by their shape.
"""

from __future__ import annotations


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


CONTINUING = _words(
    # Never the end of a sentence, however written; in capitals only before a word that opens sentences, for
    # "MS." or "TN." may be another word.
    "pt cv ud kh dr prof jl jln gg drs dra drh drg hj tn ny sdr sdri yth ust alm almh",
    "a.n d.a u.p u.b c.q cq s.d yg dgn dg utk krn spt tdk kpd sbg",
    "mr mrs ms messrs mx vs v e.g i.e viz cf approx",
)

TITLES = _words(
    # Stands before a name when written with one capital, as "Sen. Warren", not "lima sen. Ia" nor "TNI AL."; a
    # word that opens sentences ends it still: "Hun Sen. Dan".
    "ir rr fa kec kab kel ds prov kot univ",
    "kol letkol kapt inf kav lettu letda mayjen brigjen letjen jend laks irjen komjen kombes pol ipda iptu aiptu aipda",
    "bripka brigpol briptu bripda serma serka sertu serda pdt rm",
    "gen lt col sgt capt cpl maj adm cmdr pvt brig insp supt det rev hon gov sen rep pres govs sens reps",
    "fr mgr msgr atty mt ft pfc",
)

NUMBERED = _words(
    # Goes on when a number follows: "No. 5", "hlm. 12", "Jan. 6"; else the sentence ends.
    "no nos nr hlm hal ps psl vol bab jil cet ed rp tel telp hp fax ext art prop sec sect fig figs ch pp p par eq ver",
    "ca c b d sk",
    "jan feb mar apr jun jul agu agt ags aug sep sept okt oct nov des dec",
)

UNDECIDED = _words(
    # May end a sentence, and may stand before a name: the next word decides (see `STARTERS`).
    "inc corp ltd co cos llc bros assn dept tbk plc jr sr st ave blvd rd al est bhd sdn",
    "ala ariz ark calif colo conn del fla ga ill ind kan ky md mass mich minn miss mo mont neb nev okla ore pa",
    "tenn tex vt va wash wis wyo",
)

CLOSING = _words(
    # Stands at the end of a list: before a capital it ends the sentence, before a small letter never.
    "dll dkk dst dsb dlsb tsb etc avg oz lb lbs sq ttd red",
)

CLOCK = frozenset({"a.m", "p.m"})

AFTER_CLOCK = _words(
    "ET EST EDT CT CST CDT MT MST MDT PT PST PDT GMT UTC BST CET WIB WITA WIT Eastern Central Pacific Mountain",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July",
    "August September October November December Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec",
)

LABELLED = _words(
    # A single letter after these is a label, not an initial: "Grup K.", "vitamin C."
    "blok galian golongan grup hepatitis huruf inisial kategori kelas kelompok paket poin seri tipe vitamin",
    "block category class group plan section type influenza malcolm",
)

EXCLAIMING_NAMES = frozenset({"yahoo", "jeopardy"})

STARTERS = _words(
    # Words that open a sentence far more often than they continue a name.
    "A After Also Although An And Another As At Because Before Both But By Despite During Each Earlier Even",
    "Every Few For Former From Given He Her Here His How However I If In Instead It Its Last Later Many Meanwhile",
    "More Moreover Most My Neither No Nor Not Now Of On Once One Only Or Other Our Over People Perhaps",
    "She Since So Some Still Such Than That The Their Then There These They This Those Though Three Through To",
    "Today Two Under Unlike Until We What When Where Whether Which While Who Why With Without Yet You Your",
    "Ada Adapun Agar Akan Akhirnya Akibat Akibatnya Aku Anda Antara Apa Apabila Apakah Atas Bagi Bagaimana Bahkan",
    "Banyak Beberapa Begitu Belum Berdasarkan Berikut Bila Bukan Dalam Dan Dari Demikian Dengan Di Dia Dua Hal",
    "Hampir Hanya Hari Harga Hasil Hingga Ia Ini Itu Jadi Jangan Jika Juga Kalau Kami Karena Kata Ke Kemudian",
    "Kendati Keputusan Ketika Khusus Kini Kita Lalu Lantas Maka Makanya Mantan Masih Masyarakat Melalui Melihat",
    "Memang Menurut Menurutnya Mereka Meski Meskipun Misalnya Mulai Namun Nanti Nantinya Nah Oleh Pada Padahal Para",
    "Pasalnya Pemerintah Penyidik Perusahaan Pihak Pihaknya Polisi Saat Sambil Sampai Saya Sebab Sebagai",
    "Sebagian Sebab Sebanyak Sebelum Sebelumnya Sebuah Sedangkan Sehingga Sejak Sejauh Sejumlah Selain Selama",
    "Selanjutnya Semua Sementara Seorang Seperti Sesuai Setelah Setiap Siapa Tak Tapi Tanpa Telah Tentang",
    "Tentu Terdapat Terhadap Terkait Termasuk Ternyata Tetapi Tiga Tim Untuk Usai Usulan Walau Walaupun Warga",
    "Yakni Yaitu Yang",
)
