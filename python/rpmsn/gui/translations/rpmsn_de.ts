<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>rpmsn</name>
    <message>
        <source>class</source>
        <translation>Klasse</translation>
    </message>
    <message>
        <source>band</source>
        <translation>Band</translation>
    </message>
    <message>
        <source>verdict</source>
        <translation>Urteil</translation>
    </message>
    <message>
        <source>proven</source>
        <translation>bewiesen</translation>
    </message>
    <message>
        <source>likely</source>
        <translation>wahrscheinlich</translation>
    </message>
    <message>
        <source>unsure</source>
        <translation>unsicher</translation>
    </message>
    <message>
        <source>clock of the radio</source>
        <translation>Uhr des Empfängers</translation>
    </message>
    <message>
        <source>clock of the file</source>
        <translation>Uhr der Datei</translation>
    </message>
    <message>
        <source>clock of the computer</source>
        <translation>Uhr des Rechners</translation>
    </message>
    <message>
        <source>continues beyond the lower end of the span</source>
        <translation>reicht unten über die Spanne hinaus</translation>
    </message>
    <message>
        <source>continues beyond the upper end of the span</source>
        <translation>reicht oben über die Spanne hinaus</translation>
    </message>
    <message>
        <source>continues beyond both ends of the span</source>
        <translation>reicht an beiden Enden über die Spanne hinaus</translation>
    </message>
    <message>
        <source>channel</source>
        <translation>Kanal</translation>
    </message>
    <message>
        <source>Of a decoded cell: EARFCN of LTE, in the first of its bands; NR-ARFCN of the SSB of NR</source>
        <translation>Einer dekodierten Zelle: EARFCN bei LTE, im ersten ihrer Bänder; NR-ARFCN des SSB bei NR</translation>
    </message>
    <message>
        <source>on air</source>
        <translation>gesendet</translation>
    </message>
    <message>
        <source>Fraction of the time with a segment in it, of what was analysed since its first sample; and how often it came</source>
        <translation>Anteil der Zeit mit einem Segment darin, von dem, was seit dem ersten Abtastwert ausgewertet wurde; und wie oft er kam</translation>
    </message>
    <message>
        <source>on air over time</source>
        <translation>gesendet über der Zeit</translation>
    </message>
    <message>
        <source>When it was on the air, from the beginning to now</source>
        <translation>Wann er gesendet wurde, vom Anfang bis jetzt</translation>
    </message>
    <message>
        <source>offset {unit}</source>
        <translation>Ablage {unit}</translation>
    </message>
    <message>
        <source>since start</source>
        <translation>seit Anfang</translation>
    </message>
    <message>
        <source>on air, last {time}</source>
        <translation>gesendet, letzte {time}</translation>
    </message>
    <message>
        <source>{meaning}, from the centre of the span: the centre frequency is not known</source>
        <translation>{meaning}, ab der Mitte der Spanne: die Mittenfrequenz ist nicht bekannt</translation>
    </message>
    <message>
        <source>{meaning}; each bar is {time}, and as high as the fraction of it on the air</source>
        <translation>{meaning}; jeder Balken ist {time} und so hoch wie der gesendete Anteil davon</translation>
    </message>
    <message>
        <source>{time} s from the beginning</source>
        <translation>{time} s nach dem Anfang</translation>
    </message>
    <message>
        <source>since {time}</source>
        <translation>seit {time}</translation>
    </message>
    <message>
        <source>seen for {time} s, {power} dB over full scale</source>
        <translation>{time} s lang gesehen, {power} dB über Vollaussteuerung</translation>
    </message>
    <message>
        <source>cell</source>
        <translation>Zelle</translation>
    </message>
    <message>
        <source>network</source>
        <translation>Netz</translation>
    </message>
    <message>
        <source>{name}, carrier {number}</source>
        <translation>{name}, Träger {number}</translation>
    </message>
    <message>
        <source>{verdict} (by {evidence})</source>
        <translation>{verdict} (durch {evidence})</translation>
    </message>
    <message>
        <source>{lower} to {upper} MHz</source>
        <translation>{lower} bis {upper} MHz</translation>
    </message>
    <message>
        <source>SSB at {frequency} MHz</source>
        <translation>SSB bei {frequency} MHz</translation>
    </message>
    <message>
        <source>gone</source>
        <translation>verschwunden</translation>
    </message>
    <message>
        <source>SigMF annotations (*.sigmf-meta)</source>
        <translation>SigMF-Anmerkungen (*.sigmf-meta)</translation>
    </message>
    <message>
        <source>Table (*.csv)</source>
        <translation>Tabelle (*.csv)</translation>
    </message>
    <message>
        <source>Picture (*.png)</source>
        <translation>Bild (*.png)</translation>
    </message>
    <message>
        <source>{count} on the air</source>
        <translation>{count} gesendet</translation>
    </message>
    <message>
        <source>{count} gone</source>
        <translation>{count} verschwunden</translation>
    </message>
    <message numerus="yes">
        <source>{count} segments a second are too many to count</source>
        <translation><numerusform>{count} Segment in der Sekunde ist zu viel zum Zählen</numerusform><numerusform>{count} Segmente in der Sekunde sind zu viele zum Zählen</numerusform></translation>
    </message>
    <message>
        <source>filter: words that a row has to have, such as 1842, band:B3, verdict:proven</source>
        <translation>Filter: Wörter, die eine Zeile haben muss, etwa 1842, Band:B3, Urteil:bewiesen</translation>
    </message>
    <message>
        <source>Filter of the carriers</source>
        <translation>Filter der Träger</translation>
    </message>
    <message>
        <source>List carriers that are gone, too</source>
        <translation>Auch Träger auflisten, die verschwunden sind</translation>
    </message>
    <message>
        <source>faint</source>
        <translation>schwach</translation>
    </message>
    <message>
        <source>List what is unsure and below the noise, or was on for less than 1 ms, too</source>
        <translation>Auch auflisten, was unsicher ist und unter dem Rauschen liegt oder weniger als 1 ms da war</translation>
    </message>
    <message>
        <source>Clear gone</source>
        <translation>Verschwundene entfernen</translation>
    </message>
    <message>
        <source>Take carriers that are gone off the list</source>
        <translation>Träger, die verschwunden sind, aus der Liste nehmen</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy the selected rows, or all, as text</source>
        <translation>Die gewählten Zeilen, oder alle, als Text kopieren</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren…</translation>
    </message>
    <message>
        <source>Write the carriers that are shown as SigMF, CSV or picture</source>
        <translation>Die gezeigten Träger als SigMF, CSV oder Bild schreiben</translation>
    </message>
    <message>
        <source>Carriers</source>
        <translation>Träger</translation>
    </message>
    <message>
        <source>Copy the selected carriers, or all, as text</source>
        <translation>Die gewählten Träger, oder alle, als Text kopieren</translation>
    </message>
    <message>
        <source>Filter the carriers</source>
        <translation>Träger filtern</translation>
    </message>
    <message>
        <source>&amp;Export carriers…</source>
        <translation>&amp;Träger exportieren…</translation>
    </message>
    <message>
        <source>List all carriers again</source>
        <translation>Wieder alle Träger auflisten</translation>
    </message>
    <message>
        <source>&amp;Zoom to it in the picture</source>
        <translation>Im Bild darauf &amp;zoomen</translation>
    </message>
    <message>
        <source>Copy &amp;frequency: {frequency} MHz</source>
        <translation>&amp;Frequenz kopieren: {frequency} MHz</translation>
    </message>
    <message>
        <source>&amp;Copy carrier as text</source>
        <translation>Träger als Text &amp;kopieren</translation>
    </message>
    <message>
        <source>Export carriers</source>
        <translation>Träger exportieren</translation>
    </message>
    <message>
        <source>{count} shown</source>
        <translation>{count} gezeigt</translation>
    </message>
    <message>
        <source>List carriers that are {label}</source>
        <translation>Träger auflisten, die {label} sind</translation>
    </message>
    <message>
        <source>List only {word}</source>
        <translation>Nur {word} auflisten</translation>
    </message>
    <message>
        <source>List &amp;all carriers</source>
        <translation>&amp;Alle Träger auflisten</translation>
    </message>
    <message>
        <source>written: {path}</source>
        <translation>geschrieben: {path}</translation>
    </message>
    <message>
        <source>loading the model {name}</source>
        <translation>das Modell {name} wird geladen</translation>
    </message>
    <message>
        <source>opening {device}</source>
        <translation>{device} wird geöffnet</translation>
    </message>
    <message>
        <source>the recording has no time: times count from its beginning</source>
        <translation>die Aufnahme hat keine Uhrzeit: Zeiten zählen ab ihrem Anfang</translation>
    </message>
    <message>
        <source>frames last {frame} ms and model {name} was trained with {trained} ms: expect more mistakes</source>
        <translation>Rahmen dauern {frame} ms, und das Modell {name} wurde mit {trained} ms trainiert: mit mehr Fehlern ist zu rechnen</translation>
    </message>
    <message>
        <source>model {name} was trained for {low} to {high} Msps and the signal has {rate} Msps: do not rely on LTE and NR being told apart (both are reported as other; raise the sample rate)</source>
        <translation>das Modell {name} wurde für {low} bis {high} Msps trainiert, und das Signal hat {rate} Msps: LTE und NR werden nicht verlässlich unterschieden (beide werden als other gemeldet; die Abtastrate erhöhen)</translation>
    </message>
    <message>
        <source>model {name} was trained for {low} to {high} Msps and the signal has {rate} Msps: do not rely on LTE and NR being told apart (lower the sample rate)</source>
        <translation>das Modell {name} wurde für {low} bis {high} Msps trainiert, und das Signal hat {rate} Msps: LTE und NR werden nicht verlässlich unterschieden (die Abtastrate senken)</translation>
    </message>
    <message>
        <source>{device} has sent nothing for {seconds} s and is taken to have stopped: is it still plugged in, is its server still running? `rpmsn devices` lists what it finds.</source>
        <translation>{device} hat seit {seconds} s nichts gesendet und gilt als ausgefallen: Steckt es noch, läuft sein Server noch? `rpmsn devices` listet auf, was es findet.</translation>
    </message>
    <message>
        <source>What was found stays here and can be exported. If it does not resume, close the window and start again.</source>
        <translation>Was gefunden wurde, bleibt hier und kann ausgegeben werden. Geht es nicht weiter, das Fenster schließen und neu starten.</translation>
    </message>
    <message>
        <source>all samples are the same: nothing is connected, or the source has stopped; check the cable and the source</source>
        <translation>alle Abtastwerte sind gleich: nichts ist angeschlossen, oder die Quelle steht; Kabel und Quelle prüfen</translation>
    </message>
    <message>
        <source>overload: {percent} of the values are at the rail; lower the gain by {decibels} dB or more</source>
        <translation>Übersteuerung: {percent} der Werte sind am Anschlag; die Verstärkung um {decibels} dB oder mehr senken</translation>
    </message>
    <message>
        <source>clipping: {percent} of the values are at the rail; lower the gain by {decibels} dB or more</source>
        <translation>Begrenzung: {percent} der Werte sind am Anschlag; die Verstärkung um {decibels} dB oder mehr senken</translation>
    </message>
    <message>
        <source>{number} values are NaN, infinite or larger than {largest}: the source is faulty; look for a division by zero or a wrong sample format before this block</source>
        <translation>{number} Werte sind NaN, unendlich oder größer als {largest}: die Quelle ist fehlerhaft; vor diesem Block nach einer Division durch null oder einem falschen Abtastformat suchen</translation>
    </message>
    <message>
        <source>a spike at the centre frequency, as receivers make it themselves (DC offset): nothing so narrow is reported there; tune a little aside to see it</source>
        <translation>eine Spitze auf der Mittenfrequenz, wie Empfänger sie selbst machen (Gleichanteil): so Schmales wird dort nicht gemeldet; etwas daneben abstimmen, um es zu sehen</translation>
    </message>
    <message>
        <source>I/Q images of strong signals, as receivers make them themselves (I/Q imbalance): nothing is reported there; tune aside to see what they hide</source>
        <translation>I/Q-Spiegelbilder starker Signale, wie Empfänger sie selbst machen (I/Q-Ungleichheit): dort wird nichts gemeldet; daneben abstimmen, um zu sehen, was sie verdecken</translation>
    </message>
    <message>
        <source>level too low: the signal uses no more than two steps of the converter; raise the gain, or check the antenna</source>
        <translation>Pegel zu niedrig: das Signal nutzt nicht mehr als zwei Stufen des Wandlers; die Verstärkung erhöhen oder die Antenne prüfen</translation>
    </message>
    <message>
        <source>level too low: {decibels} dB below full scale; raise the gain, or scale the samples so that full scale is 1.0</source>
        <translation>Pegel zu niedrig: {decibels} dB unter Vollaussteuerung; die Verstärkung erhöhen oder die Abtastwerte so skalieren, dass Vollaussteuerung 1.0 ist</translation>
    </message>
    <message>
        <source>a frame could not be analysed: {error}</source>
        <translation>ein Rahmen konnte nicht ausgewertet werden: {error}</translation>
    </message>
    <message>
        <source>the search for cells failed: {error}</source>
        <translation>die Suche nach Zellen ist fehlgeschlagen: {error}</translation>
    </message>
    <message>
        <source>{path} has become shorter since it was opened: it ends before byte {place}. Open it again when nothing writes to it any more.</source>
        <translation>{path} ist kürzer geworden, seit es geöffnet wurde: es endet vor Byte {place}. Noch einmal öffnen, wenn nichts mehr hineinschreibt.</translation>
    </message>
    <message>
        <source>{file} ends in the middle of a sample: {left} of {whole} bytes are left over and ignored</source>
        <translation>{file} endet mitten in einem Abtastwert: {left} von {whole} Byte sind übrig und werden ignoriert</translation>
    </message>
    <message>
        <source>{file} is shorter than its annotations say: {number} of them reach beyond its {count} samples, the last to sample {last}</source>
        <translation>{file} ist kürzer, als die Annotationen sagen: {number} davon reichen über die {count} Abtastwerte hinaus, die letzte bis Abtastwert {last}</translation>
    </message>
    <message>
        <source>{number} capture segment(s) start beyond the end of {file} ({count} samples) and are ignored</source>
        <translation>{number} Capture-Segment(e) beginnen nach dem Ende von {file} ({count} Abtastwerte) und werden ignoriert</translation>
    </message>
    <message>
        <source>{number} of {all} capture segments have no core:frequency: each goes on at the frequency before it, those at the beginning at the first that is known</source>
        <translation>{number} von {all} Capture-Segmenten haben keine core:frequency: jedes bleibt auf der Frequenz davor, die am Anfang auf der ersten bekannten</translation>
    </message>
    <message>
        <source>the first capture segment starts at sample {sample}: its frequency and time are taken for the samples before it, too</source>
        <translation>das erste Capture-Segment beginnt bei Abtastwert {sample}: seine Frequenz und Zeit gelten auch für die Abtastwerte davor</translation>
    </message>
    <message>
        <source>channel 1 of {number} is read; --channel N chooses another</source>
        <translation>Kanal 1 von {number} wird gelesen; --channel N wählt einen anderen</translation>
    </message>
    <message>
        <source>{value}: read from the file's name; --format, --sample-rate and --center-frequency overrule it</source>
        <translation>{value}: aus dem Namen der Datei gelesen; --format, --sample-rate und --center-frequency haben Vorrang</translation>
    </message>
    <message>
        <source>{key} is {before} in the metadata; {value} was given and is used</source>
        <translation>{key} ist {before} in den Metadaten; {value} wurde angegeben und wird verwendet</translation>
    </message>
    <message>
        <source>the metadata need the SigMF extension {name}, which is not understood here</source>
        <translation>die Metadaten brauchen die SigMF-Erweiterung {name}, die hier nicht verstanden wird</translation>
    </message>
    <message>
        <source>{number} of {all} in {key} are no objects and are left out</source>
        <translation>{number} von {all} in {key} sind keine Objekte und werden weggelassen</translation>
    </message>
    <message>
        <source>{key} is text, {words}, and is taken as the number</source>
        <translation>{key} ist Text, {words}, und wird als Zahl gelesen</translation>
    </message>
    <message>
        <source>{number} annotation(s) are left out, the first since {fault}</source>
        <translation>{number} Annotation(en) werden weggelassen, die erste deswegen: {fault}</translation>
    </message>
    <message>
        <source>Name of {frequency} MHz:</source>
        <translation>Name von {frequency} MHz:</translation>
    </message>
    <message>
        <source>&amp;Bookmarks</source>
        <translation>&amp;Lesezeichen</translation>
    </message>
    <message>
        <source>&amp;Add a bookmark at the selected carrier…</source>
        <translation>Lesezeichen beim gewählten Träger &amp;hinzufügen…</translation>
    </message>
    <message>
        <source>&amp;Edit bookmarks…</source>
        <translation>Lesezeichen &amp;bearbeiten…</translation>
    </message>
    <message>
        <source>Bookmark</source>
        <translation>Lesezeichen</translation>
    </message>
    <message>
        <source>&amp;Bookmark its centre…</source>
        <translation>&amp;Lesezeichen auf seine Mitte…</translation>
    </message>
    <message>
        <source>Bookmarks</source>
        <translation>Lesezeichen</translation>
    </message>
    <message>
        <source>&amp;Delete</source>
        <translation>&amp;Löschen</translation>
    </message>
    <message>
        <source>Frequency of the bookmark, MHz</source>
        <translation>Frequenz des Lesezeichens, MHz</translation>
    </message>
    <message>
        <source>&amp;Bookmark here…</source>
        <translation>Hier ein &amp;Lesezeichen…</translation>
    </message>
    <message>
        <source>name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>colour</source>
        <translation>Farbe</translation>
    </message>
    <message>
        <source>Colour of the bookmark</source>
        <translation>Farbe des Lesezeichens</translation>
    </message>
    <message>
        <source>in the file</source>
        <translation>in der Datei</translation>
    </message>
    <message>
        <source>from, MHz</source>
        <translation>von, MHz</translation>
    </message>
    <message>
        <source>to, MHz</source>
        <translation>bis, MHz</translation>
    </message>
    <message>
        <source>found</source>
        <translation>gefunden</translation>
    </message>
    <message>
        <source>confidence</source>
        <translation>Sicherheit</translation>
    </message>
    <message>
        <source>same band</source>
        <translation>gleiches Band</translation>
    </message>
    <message>
        <source>same time</source>
        <translation>gleiche Zeit</translation>
    </message>
    <message>
        <source>result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>wrong class</source>
        <translation>falsche Klasse</translation>
    </message>
    <message>
        <source>missed</source>
        <translation>übersehen</translation>
    </message>
    <message>
        <source>not in the file</source>
        <translation>nicht in der Datei</translation>
    </message>
    <message>
        <source>{count} in the file: {found} found, {wrong} wrong class, {missed} missed; {extra} not in the file</source>
        <translation>{count} in der Datei: {found} gefunden, {wrong} falsche Klasse, {missed} übersehen; {extra} nicht in der Datei</translation>
    </message>
    <message>
        <source>{line}; {band} of the bands and {time} of the times in common</source>
        <translation>{line}; {band} der Bänder und {time} der Zeiten gemeinsam</translation>
    </message>
    <message>
        <source>Compared with the file</source>
        <translation>Vergleich mit der Datei</translation>
    </message>
    <message>
        <source>Cutting…</source>
        <translation>Wird ausgeschnitten…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>SigMF recording (*.sigmf-meta)</source>
        <translation>SigMF-Aufnahme (*.sigmf-meta)</translation>
    </message>
    <message numerus="yes">
        <source>{count} corrections are in no file yet.</source>
        <translation><numerusform>{count} Korrektur steht noch in keiner Datei.</numerusform><numerusform>{count} Korrekturen stehen noch in keiner Datei.</numerusform></translation>
    </message>
    <message>
        <source>Corrections</source>
        <translation>Korrekturen</translation>
    </message>
    <message>
        <source>annotate as {label}</source>
        <translation>als {label} anmerken</translation>
    </message>
    <message>
        <source>delete the annotation {label}</source>
        <translation>Annotation {label} löschen</translation>
    </message>
    <message>
        <source>Cut to a file</source>
        <translation>In eine Datei ausschneiden</translation>
    </message>
    <message>
        <source>Folder of recordings to train on</source>
        <translation>Ordner der Aufnahmen zum Trainieren</translation>
    </message>
    <message>
        <source>&amp;Delete the annotation {label}</source>
        <translation>Annotation {label} &amp;löschen</translation>
    </message>
    <message>
        <source>It &amp;is</source>
        <translation>Er &amp;ist</translation>
    </message>
    <message>
        <source>&amp;Delete carrier</source>
        <translation>Träger &amp;löschen</translation>
    </message>
    <message>
        <source>carrier {number} is {label}</source>
        <translation>Träger {number} ist {label}</translation>
    </message>
    <message>
        <source>a recording has samples to train on; open one</source>
        <translation>Abtastwerte zum Trainieren hat eine Aufnahme; eine öffnen</translation>
    </message>
    <message>
        <source>the part would replace the recording that it is of; choose another name</source>
        <translation>der Teil würde die Aufnahme ersetzen, aus der er ist; einen anderen Namen wählen</translation>
    </message>
    <message>
        <source>stopped; nothing is written</source>
        <translation>angehalten; nichts wurde geschrieben</translation>
    </message>
    <message>
        <source>&amp;Play the marked part</source>
        <translation>Den markierten Teil ab&amp;spielen</translation>
    </message>
    <message>
        <source>C&amp;ut the marked part to a file…</source>
        <translation>Den markierten Teil in eine Datei &amp;ausschneiden…</translation>
    </message>
    <message>
        <source>&amp;Annotate the marked part as</source>
        <translation>Den &amp;markierten Teil anmerken als</translation>
    </message>
    <message>
        <source>&amp;Play its time</source>
        <translation>Seine Zeit ab&amp;spielen</translation>
    </message>
    <message>
        <source>C&amp;ut it to a file…</source>
        <translation>In eine Datei &amp;ausschneiden…</translation>
    </message>
    <message>
        <source>the marked part reaches over a jump in the recording; mark one side of it</source>
        <translation>der markierte Teil reicht über einen Sprung in der Aufnahme; nur eine Seite davon markieren</translation>
    </message>
    <message numerus="yes">
        <source>delete {count} carriers</source>
        <translation><numerusform>{count} Träger löschen</numerusform><numerusform>{count} Träger löschen</numerusform></translation>
    </message>
    <message>
        <source>wheel, drag</source>
        <translation>Rad, ziehen</translation>
    </message>
    <message>
        <source>zoom in frequency, pan</source>
        <translation>Frequenz zoomen, verschieben</translation>
    </message>
    <message>
        <source>Ctrl and wheel, Shift and wheel</source>
        <translation>Strg und Rad, Umschalt und Rad</translation>
    </message>
    <message>
        <source>zoom in time, scroll</source>
        <translation>Zeit zoomen, blättern</translation>
    </message>
    <message>
        <source>click, double click</source>
        <translation>Klick, Doppelklick</translation>
    </message>
    <message>
        <source>select a carrier; tune a radio</source>
        <translation>einen Träger wählen; einen Empfänger abstimmen</translation>
    </message>
    <message>
        <source>right click</source>
        <translation>Rechtsklick</translation>
    </message>
    <message>
        <source>what can be done with the carrier, or the place, there</source>
        <translation>was mit dem Träger, oder der Stelle, dort getan werden kann</translation>
    </message>
    <message>
        <source>Shift and drag</source>
        <translation>Umschalt und ziehen</translation>
    </message>
    <message>
        <source>mark a part; right click there: zoom to it, cut it to a file, annotate it</source>
        <translation>einen Teil markieren; Rechtsklick dort: darauf zoomen, in eine Datei ausschneiden, anmerken</translation>
    </message>
    <message>
        <source>drop a recording</source>
        <translation>eine Aufnahme fallen lassen</translation>
    </message>
    <message>
        <source>open it</source>
        <translation>sie öffnen</translation>
    </message>
    <message>
        <source>Keys and mouse</source>
        <translation>Tasten und Maus</translation>
    </message>
    <message>
        <source>Mouse</source>
        <translation>Maus</translation>
    </message>
    <message>
        <source>As the &amp;desktop</source>
        <translation>Wie der Desk&amp;top</translation>
    </message>
    <message>
        <source>D&amp;ark</source>
        <translation>&amp;Dunkel</translation>
    </message>
    <message>
        <source>&amp;Light</source>
        <translation>&amp;Hell</translation>
    </message>
    <message>
        <source>Carriers &amp;below the picture</source>
        <translation>Träger &amp;unter dem Bild</translation>
    </message>
    <message>
        <source>Carriers be&amp;side it</source>
        <translation>Träger &amp;neben ihm</translation>
    </message>
    <message>
        <source>Carriers &amp;hidden</source>
        <translation>Träger &amp;verborgen</translation>
    </message>
    <message>
        <source>&amp;Keys and mouse</source>
        <translation>&amp;Tasten und Maus</translation>
    </message>
    <message>
        <source>&amp;Save picture…</source>
        <translation>Bild &amp;speichern…</translation>
    </message>
    <message>
        <source>Save &amp;labels to train on…</source>
        <translation>Bezeichnungen zum Trai&amp;nieren speichern…</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>&amp;Delete the selected carriers</source>
        <translation>Die gewählten Träger &amp;löschen</translation>
    </message>
    <message>
        <source>Carriers &amp;detached</source>
        <translation>Träger &amp;abgelöst</translation>
    </message>
    <message>
        <source>C&amp;olumns of the picture</source>
        <translation>&amp;Spalten des Bildes</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Bearbeiten</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Open…</source>
        <translation>Ö&amp;ffnen…</translation>
    </message>
    <message>
        <source>Open &amp;recent</source>
        <translation>&amp;Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig:</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>&amp;Wiederholen:</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>Aufnahme</translation>
    </message>
    <message>
        <source>Radio</source>
        <translation>Empfänger</translation>
    </message>
    <message>
        <source>nothing yet</source>
        <translation>noch nichts</translation>
    </message>
    <message>
        <source>file</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>own</source>
        <translation>eigene</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages of the publisher did not arrive</source>
        <translation><numerusform>{count} Nachricht des Senders kam nicht an</numerusform><numerusform>{count} Nachrichten des Senders kamen nicht an</numerusform></translation>
    </message>
    <message>
        <source>no picture: the publisher sends no frames; set frames_per_second of its segment_publisher above 0, and connect its port frames</source>
        <translation>kein Bild: der Sender schickt keine Rahmen; frames_per_second seines segment_publisher über 0 setzen und dessen Anschluss frames verbinden</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>automatisch</translation>
    </message>
    <message>
        <source>1/4 span</source>
        <translation>1/4 Spanne</translation>
    </message>
    <message>
        <source>raster</source>
        <translation>Raster</translation>
    </message>
    <message>
        <source>Lock the frequency, or not</source>
        <translation>Die Frequenz sperren oder nicht</translation>
    </message>
    <message>
        <source>Record IQ, or end the recording</source>
        <translation>IQ aufnehmen oder die Aufnahme beenden</translation>
    </message>
    <message>
        <source>Centre frequency; a double click into the picture tunes, too</source>
        <translation>Mittenfrequenz; auch ein Doppelklick ins Bild stimmt ab</translation>
    </message>
    <message>
        <source>Gain of all stages: raise it until the noise floor rises with it; lower it when the input is overloaded</source>
        <translation>Verstärkung aller Stufen: erhöhen, bis der Rauschteppich mitsteigt; senken, wenn der Eingang übersteuert ist</translation>
    </message>
    <message>
        <source>Error of the radio's clock, by which all frequencies are corrected</source>
        <translation>Fehler der Uhr des Empfängers, um den alle Frequenzen berichtigt werden</translation>
    </message>
    <message>
        <source>Antenna</source>
        <translation>Antenne</translation>
    </message>
    <message>
        <source>Lock</source>
        <translation>Sperren</translation>
    </message>
    <message>
        <source>Keep the frequency: against double clicks, keys and bookmarks</source>
        <translation>Die Frequenz behalten: gegen Doppelklicks, Tasten und Lesezeichen</translation>
    </message>
    <message>
        <source>From cell</source>
        <translation>Aus Zelle</translation>
    </message>
    <message>
        <source>Take the correction from the proven cells in view</source>
        <translation>Die Berichtigung aus den bewiesenen Zellen im Bild nehmen</translation>
    </message>
    <message>
        <source>{meaning} (type and press Enter, or Up and Down)</source>
        <translation>{meaning} (tippen und Eingabetaste, oder Auf und Ab)</translation>
    </message>
    <message>
        <source>From cell: {ppm}</source>
        <translation>Aus Zelle: {ppm}</translation>
    </message>
    <message>
        <source>Centre</source>
        <translation>Mitte</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>Schritt</translation>
    </message>
    <message>
        <source>Gain</source>
        <translation>Verstärkung</translation>
    </message>
    <message>
        <source>What an arrow key tunes by; raster: that of the channels at this frequency</source>
        <translation>Um wie viel eine Pfeiltaste abstimmt; Raster: das der Kanäle bei dieser Frequenz</translation>
    </message>
    <message>
        <source>Antenna of the radio</source>
        <translation>Antenne des Empfängers</translation>
    </message>
    <message>
        <source>the process of {device} has ended (exit status {code}): its driver may have crashed. Close the window and start again; `rpmsn devices` shows what is connected.</source>
        <translation>der Prozess von {device} ist zu Ende (Status {code}): sein Treiber ist vielleicht abgestürzt. Das Fenster schließen und neu starten; `rpmsn devices` zeigt, was angeschlossen ist.</translation>
    </message>
    <message>
        <source>{device} has not been opened within {seconds} s: its driver does not answer. It is still waited for; or close the window, plug the radio in again, and start again.</source>
        <translation>{device} wurde in {seconds} s nicht geöffnet: sein Treiber antwortet nicht. Es wird weiter gewartet; oder das Fenster schließen, den Empfänger neu einstecken und neu starten.</translation>
    </message>
    <message>
        <source>● Record</source>
        <translation>● Aufnehmen</translation>
    </message>
    <message>
        <source>■ Stop</source>
        <translation>■ Anhalten</translation>
    </message>
    <message>
        <source>&amp;Record, or end the recording</source>
        <translation>&amp;Aufnehmen oder die Aufnahme beenden</translation>
    </message>
    <message>
        <source>Folder for recordings</source>
        <translation>Ordner für Aufnahmen</translation>
    </message>
    <message>
        <source>All samples to a SigMF file in {folder}</source>
        <translation>Alle Abtastwerte in eine SigMF-Datei in {folder}</translation>
    </message>
    <message>
        <source>Record, with the last {time}</source>
        <translation>Aufnehmen, mit den letzten {time}</translation>
    </message>
    <message>
        <source>Save the last {time} alone</source>
        <translation>Nur die letzten {time} speichern</translation>
    </message>
    <message>
        <source>not recorded: {reason}</source>
        <translation>nicht aufgenommen: {reason}</translation>
    </message>
    <message>
        <source>Folder: {folder}…</source>
        <translation>Ordner: {folder}…</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Ordner…</translation>
    </message>
    <message numerus="yes">
        <source>{count} samples left out: the disk is late</source>
        <translation><numerusform>{count} Abtastwert ausgelassen: die Platte ist zu langsam</numerusform><numerusform>{count} Abtastwerte ausgelassen: die Platte ist zu langsam</numerusform></translation>
    </message>
    <message>
        <source>last {time} held</source>
        <translation>letzte {time} im Speicher</translation>
    </message>
    <message>
        <source>a folder that is asked for</source>
        <translation>einen Ordner, nach dem gefragt wird</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>Abspielen</translation>
    </message>
    <message>
        <source>Place in the recording</source>
        <translation>Stelle in der Aufnahme</translation>
    </message>
    <message>
        <source>Speed, times real time</source>
        <translation>Tempo, mal Echtzeit</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>Schleife</translation>
    </message>
    <message>
        <source>Play or pause the recording</source>
        <translation>Die Aufnahme abspielen oder anhalten</translation>
    </message>
    <message>
        <source>Pause, and play one frame</source>
        <translation>Anhalten und einen Rahmen abspielen</translation>
    </message>
    <message>
        <source>Times real time; max is as fast as the analysis goes</source>
        <translation>Mal Echtzeit; max. ist so schnell, wie die Auswertung geht</translation>
    </message>
    <message>
        <source>Start again at the end</source>
        <translation>Am Ende von vorn beginnen</translation>
    </message>
    <message>
        <source>max</source>
        <translation>max.</translation>
    </message>
    <message>
        <source>Slower</source>
        <translation>Langsamer</translation>
    </message>
    <message>
        <source>Faster</source>
        <translation>Schneller</translation>
    </message>
    <message>
        <source>Start again at the end, or not</source>
        <translation>Am Ende von vorn beginnen oder nicht</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Forwards</source>
        <translation>Vorwärts</translation>
    </message>
    <message>
        <source>Recordings (*.sigmf-meta *.sigmf-data *.sigmf *.wav *.npy);;All files (*)</source>
        <translation>Aufnahmen (*.sigmf-meta *.sigmf-data *.sigmf *.wav *.npy);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Open recording</source>
        <translation>Aufnahme öffnen</translation>
    </message>
    <message>
        <source>the frequency is locked; {frequency} MHz is not tuned to</source>
        <translation>die Frequenz ist gesperrt; auf {frequency} MHz wird nicht abgestimmt</translation>
    </message>
    <message>
        <source>Save picture</source>
        <translation>Bild speichern</translation>
    </message>
    <message>
        <source>{frequency} MHz: {source} cannot be tuned; a radio can</source>
        <translation>{frequency} MHz: {source} kann nicht abgestimmt werden; ein Empfänger kann es</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>so far</source>
        <translation>bisher</translation>
    </message>
    <message>
        <source>no 3GPP band here</source>
        <translation>hier ist kein 3GPP-Band</translation>
    </message>
    <message>
        <source>3GPP bands in view:</source>
        <translation>3GPP-Bänder im Bild:</translation>
    </message>
    <message>
        <source>Draw carriers with class, cell or confidence, and bandwidth.
Thick line and ✓: proven by a cell. Thin line: likely. Dashed and hatched, ?: unsure.
No line on a side: the carrier goes on beyond the span, and is ≥ that wide.</source>
        <translation>Träger mit Klasse, Zelle oder Sicherheit und Bandbreite zeichnen.
Dicke Linie und ✓: durch eine Zelle bewiesen. Dünne Linie: wahrscheinlich. Gestrichelt und schraffiert, ?: unsicher.
Keine Linie an einer Seite: der Träger reicht über die Spanne hinaus und ist ≥ so breit.</translation>
    </message>
    <message>
        <source>Annotations of the file</source>
        <translation>Anmerkungen der Datei</translation>
    </message>
    <message>
        <source>3GPP bands</source>
        <translation>3GPP-Bänder</translation>
    </message>
    <message>
        <source>Spectrum</source>
        <translation>Spektrum</translation>
    </message>
    <message>
        <source>Average</source>
        <translation>Mittelwert</translation>
    </message>
    <message>
        <source>Max hold</source>
        <translation>Höchstwert</translation>
    </message>
    <message>
        <source>Time from the start</source>
        <translation>Zeit ab Anfang</translation>
    </message>
    <message>
        <source>Power in</source>
        <translation>Leistung in</translation>
    </message>
    <message>
        <source>Average over</source>
        <translation>Mitteln über</translation>
    </message>
    <message>
        <source>Max hold for</source>
        <translation>Höchstwert halten</translation>
    </message>
    <message>
        <source>until a reset</source>
        <translation>bis zum Zurücksetzen</translation>
    </message>
    <message>
        <source>Boxes</source>
        <translation>Kästen</translation>
    </message>
    <message>
        <source>How much the colours of the classes cover</source>
        <translation>Wie sehr die Farben der Klassen decken</translation>
    </message>
    <message>
        <source>Power of the first colour, dB over the noise</source>
        <translation>Leistung der ersten Farbe, dB über dem Rauschen</translation>
    </message>
    <message>
        <source>Power of the last colour, dB over the noise</source>
        <translation>Leistung der letzten Farbe, dB über dem Rauschen</translation>
    </message>
    <message>
        <source>Autoscale</source>
        <translation>Anpassen</translation>
    </message>
    <message>
        <source>Fit the levels to what is in view, once</source>
        <translation>Die Pegel einmal an das Sichtbare anpassen</translation>
    </message>
    <message>
        <source>Measure</source>
        <translation>Messen</translation>
    </message>
    <message>
        <source>Two cursors to drag: distance in frequency and time, power</source>
        <translation>Zwei Marken zum Ziehen: Abstand in Frequenz und Zeit, Leistung</translation>
    </message>
    <message>
        <source>Hold the picture; the analysis continues</source>
        <translation>Das Bild anhalten; die Auswertung läuft weiter</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Ansicht</translation>
    </message>
    <message>
        <source>What the picture shows</source>
        <translation>Was das Bild zeigt</translation>
    </message>
    <message>
        <source>Offset of dBm…</source>
        <translation>Versatz für dBm…</translation>
    </message>
    <message>
        <source>Newest at the bottom</source>
        <translation>Neuestes unten</translation>
    </message>
    <message>
        <source>Light theme</source>
        <translation>Helle Farben</translation>
    </message>
    <message>
        <source>Opacity</source>
        <translation>Deckkraft</translation>
    </message>
    <message>
        <source>Levels</source>
        <translation>Pegel</translation>
    </message>
    <message>
        <source>Colour what is {label}, and draw its boxes</source>
        <translation>Färben, was {label} ist, und seine Kästen zeichnen</translation>
    </message>
    <message>
        <source>Whole span, newest rows</source>
        <translation>Ganze Spanne, neueste Zeilen</translation>
    </message>
    <message>
        <source>Whole span, all rows</source>
        <translation>Ganze Spanne, alle Zeilen</translation>
    </message>
    <message>
        <source>Restart average and max hold</source>
        <translation>Mittelwert und Höchstwert neu beginnen</translation>
    </message>
    <message>
        <source>Save picture…</source>
        <translation>Bild speichern…</translation>
    </message>
    <message>
        <source>Power in {color_map}</source>
        <translation>Leistung in {color_map}</translation>
    </message>
    <message>
        <source>A to B: {width}, {time}</source>
        <translation>A bis B: {width}, {time}</translation>
    </message>
    <message>
        <source>{power} dB over the noise there</source>
        <translation>dort {power} dB über dem Rauschen</translation>
    </message>
    <message>
        <source>no pixel between</source>
        <translation>kein Bildpunkt dazwischen</translation>
    </message>
    <message>
        <source>the picture's scale changed</source>
        <translation>die Skala des Bildes hat sich geändert</translation>
    </message>
    <message>
        <source>tuned to {frequency} MHz</source>
        <translation>auf {frequency} MHz abgestimmt</translation>
    </message>
    <message>
        <source>sample rate now {rate} MHz</source>
        <translation>Abtastrate jetzt {rate} MHz</translation>
    </message>
    <message>
        <source>on by {time}</source>
        <translation>{time} weiter</translation>
    </message>
    <message>
        <source>back by {time}</source>
        <translation>{time} zurück</translation>
    </message>
    <message>
        <source>{time} lost by the radio</source>
        <translation>{time} vom Empfänger verloren</translation>
    </message>
    <message>
        <source>{time} not analysed</source>
        <translation>{time} nicht ausgewertet</translation>
    </message>
    <message>
        <source>clock goes back by {time}</source>
        <translation>die Uhr geht um {time} zurück</translation>
    </message>
    <message>
        <source>{time} not shown</source>
        <translation>{time} nicht gezeigt</translation>
    </message>
    <message>
        <source>dB over noise</source>
        <translation>dB über Rauschen</translation>
    </message>
    <message>
        <source>{unit} in {width} kHz</source>
        <translation>{unit} in {width} kHz</translation>
    </message>
    <message>
        <source>&amp;Zoom to {carrier}</source>
        <translation>Auf {carrier} &amp;zoomen</translation>
    </message>
    <message>
        <source>Zoom to the &amp;marked part</source>
        <translation>Auf den &amp;markierten Teil zoomen</translation>
    </message>
    <message>
        <source>no signal here</source>
        <translation>hier kein Signal</translation>
    </message>
    <message>
        <source>max hold</source>
        <translation>Höchstwert</translation>
    </message>
    <message>
        <source>average of {time}</source>
        <translation>Mittelwert, {time}</translation>
    </message>
    <message>
        <source>max hold of {time}</source>
        <translation>Höchstwert, {time}</translation>
    </message>
    <message>
        <source>newest frame</source>
        <translation>neuester Rahmen</translation>
    </message>
    <message>
        <source>part in view</source>
        <translation>Ausschnitt im Bild</translation>
    </message>
    <message>
        <source>average</source>
        <translation>Mittelwert</translation>
    </message>
    <message>
        <source>choose a faster runtime or model, a lower sample rate or a lower duty cycle</source>
        <translation>eine schnellere Laufzeit, ein schnelleres Modell, eine niedrigere Abtastrate oder ein kleineres Tastverhältnis wählen</translation>
    </message>
    <message>
        <source>lower the sample rate, or free the processor and the bus to the radio</source>
        <translation>die Abtastrate senken oder Prozessor und Bus zum Empfänger entlasten</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>angehalten</translation>
    </message>
    <message>
        <source>end of the recording</source>
        <translation>Ende der Aufnahme</translation>
    </message>
    <message>
        <source>input {rate} Msps</source>
        <translation>Eingang {rate} Msps</translation>
    </message>
    <message>
        <source>{factor} × real time</source>
        <translation>{factor} × Echtzeit</translation>
    </message>
    <message>
        <source>{model} on {runtime}</source>
        <translation>{model} auf {runtime}</translation>
    </message>
    <message>
        <source>coverage {percent} %</source>
        <translation>Abdeckung {percent} %</translation>
    </message>
    <message numerus="yes">
        <source>{count} samples lost by the radio: {advice}</source>
        <translation><numerusform>{count} Abtastwert vom Empfänger verloren: {advice}</numerusform><numerusform>{count} Abtastwerte vom Empfänger verloren: {advice}</numerusform></translation>
    </message>
    <message>
        <source>only {rate} of {expected} Msps come in: check the source, and the blocks before this</source>
        <translation>nur {rate} von {expected} Msps kommen an: die Quelle und die Blöcke davor prüfen</translation>
    </message>
    <message>
        <source>{factor} × real time, slower than asked ({asked} ×): the analysis takes longer, and leaves nothing out</source>
        <translation>{factor} × Echtzeit, langsamer als verlangt ({asked} ×): die Auswertung dauert länger und lässt nichts aus</translation>
    </message>
    <message>
        <source>results come {time} s late: {advice}</source>
        <translation>Ergebnisse kommen {time} s zu spät: {advice}</translation>
    </message>
    <message>
        <source>coverage {percent} % (duty cycle)</source>
        <translation>Abdeckung {percent} % (Tastverhältnis)</translation>
    </message>
    <message numerus="yes">
        <source>not judged {count} frames of {all}: {reason}</source>
        <translation><numerusform>{count} Rahmen von {all} nicht beurteilt: {reason}</numerusform><numerusform>{count} Rahmen von {all} nicht beurteilt: {reason}</numerusform></translation>
    </message>
    <message>
        <source>{percent} % of the samples were not analysed: the recording comes first, and needs the processor</source>
        <translation>{percent} % der Abtastwerte wurden nicht ausgewertet: die Aufnahme geht vor und braucht den Prozessor</translation>
    </message>
    <message>
        <source>{percent} % of the samples were not analysed: the analysis is late; {advice}</source>
        <translation>{percent} % der Abtastwerte wurden nicht ausgewertet: die Auswertung kommt nicht nach; {advice}</translation>
    </message>
    <message>
        <source>the input was not fit to be</source>
        <translation>der Eingang taugte nicht dazu</translation>
    </message>
    <message>
        <source>error: {words}</source>
        <translation>Fehler: {words}</translation>
    </message>
    <message>
        <source>note: {words}</source>
        <translation>Hinweis: {words}</translation>
    </message>
    <message>
        <source>queue {count}</source>
        <translation>Warteschlange {count}</translation>
    </message>
    <message numerus="yes">
        <source>{count} frames dropped</source>
        <translation><numerusform>{count} Rahmen verworfen</numerusform><numerusform>{count} Rahmen verworfen</numerusform></translation>
    </message>
    <message numerus="yes">
        <source>{count} overflows</source>
        <translation><numerusform>{count} Überlauf</numerusform><numerusform>{count} Überläufe</numerusform></translation>
    </message>
    <message>
        <source>latency {time} s</source>
        <translation>Verzug {time} s</translation>
    </message>
    <message>
        <source>not judged: {reason}</source>
        <translation>nicht beurteilt: {reason}</translation>
    </message>
    <message>
        <source>input faulty</source>
        <translation>Eingang fehlerhaft</translation>
    </message>
    <message>
        <source>input ok</source>
        <translation>Eingang in Ordnung</translation>
    </message>
    <message>
        <source>nothing found</source>
        <translation>nichts gefunden</translation>
    </message>
    <message>
        <source>no status for {time} s: the flowgraph has ended, or hangs</source>
        <translation>seit {time} s kein Status: der Flussgraph ist zu Ende oder hängt</translation>
    </message>
    <message>
        <source>no status yet</source>
        <translation>noch kein Status</translation>
    </message>
    <message>
        <source>ok</source>
        <translation>in Ordnung</translation>
    </message>
    <message>
        <source>{time} from the start</source>
        <translation>{time} ab Anfang</translation>
    </message>
    <message>
        <source>waiting for frames</source>
        <translation>wartet auf Rahmen</translation>
    </message>
    <message>
        <source>, computer's clock</source>
        <translation>, Uhr des Rechners</translation>
    </message>
    <message>
        <source>, radio's clock</source>
        <translation>, Uhr des Empfängers</translation>
    </message>
    <message>
        <source>Paused; the analysis continues ({time} s newer) – Space resumes</source>
        <translation>Angehalten; die Auswertung läuft weiter ({time} s neuer) – Leertaste setzt fort</translation>
    </message>
    <message>
        <source>dBm at 0 dBFS</source>
        <translation>dBm bei 0 dBFS</translation>
    </message>
    <message>
        <source>Place in the history</source>
        <translation>Stelle im Verlauf</translation>
    </message>
    <message>
        <source>Spectrum and waterfall</source>
        <translation>Spektrum und Wasserfall</translation>
    </message>
    <message>
        <source>Pause the picture; the analysis continues</source>
        <translation>Das Bild anhalten; die Auswertung läuft weiter</translation>
    </message>
    <message>
        <source>Fit the levels to what is in view</source>
        <translation>Die Pegel an das Sichtbare anpassen</translation>
    </message>
    <message>
        <source>Measure with two cursors</source>
        <translation>Mit zwei Marken messen</translation>
    </message>
    <message>
        <source>Scroll down by a view</source>
        <translation>Ein Bild nach unten blättern</translation>
    </message>
    <message>
        <source>Scroll up by a view</source>
        <translation>Ein Bild nach oben blättern</translation>
    </message>
    <message>
        <source>Select no carrier, mark nothing, no cursors</source>
        <translation>Keinen Träger wählen, nichts markieren, keine Marken</translation>
    </message>
    <message>
        <source>{time} back – Home returns to the newest rows</source>
        <translation>{time} zurück – Pos1 führt zu den neuesten Zeilen</translation>
    </message>
    <message>
        <source>dBm at 0 dBFS at a gain of {gain} dB</source>
        <translation>dBm bei 0 dBFS bei einer Verstärkung von {gain} dB</translation>
    </message>
    <message>
        <source>Offset of dBm</source>
        <translation>Versatz für dBm</translation>
    </message>
    <message>
        <source>Pictures (*.png *.jpg)</source>
        <translation>Bilder (*.png *.jpg)</translation>
    </message>
    <message>
        <source>Frequency, MHz</source>
        <translation>Frequenz, MHz</translation>
    </message>
    <message>
        <source>{clock}, s after {minute}</source>
        <translation>{clock}, s nach {minute}</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>offset, MHz</source>
        <translation>Ablage, MHz</translation>
    </message>
    <message>
        <source>Offset from centre, MHz</source>
        <translation>Ablage von der Mitte, MHz</translation>
    </message>
    <message>
        <source>id</source>
        <translation>Nr.</translation>
    </message>
    <message>
        <source>number of the carrier, from 1 on; the same for all its segments</source>
        <translation>Nummer des Trägers, ab 1; die gleiche für alle seine Segmente</translation>
    </message>
    <message>
        <source>label</source>
        <translation>Klasse</translation>
    </message>
    <message>
        <source>the carrier's class: LTE, NR or other</source>
        <translation>die Klasse des Trägers: LTE, NR oder other</translation>
    </message>
    <message>
        <source>centre MHz</source>
        <translation>Mitte MHz</translation>
    </message>
    <message>
        <source>middle between the carrier's edges</source>
        <translation>Mitte zwischen den Kanten des Trägers</translation>
    </message>
    <message>
        <source>width MHz</source>
        <translation>Breite MHz</translation>
    </message>
    <message>
        <source>distance of the carrier's edges</source>
        <translation>Abstand der Kanten des Trägers</translation>
    </message>
    <message>
        <source>SNR dB</source>
        <translation>SNR dB</translation>
    </message>
    <message>
        <source>mean power of the carrier over the noise floor</source>
        <translation>mittlere Leistung des Trägers über dem Rauschteppich</translation>
    </message>
    <message>
        <source>probability that the label is right: mean over the carrier's segments, as the model's decision has it; 1 where it is proven, less what missing signals of a cell take; with no_band that of the label that the network gave it</source>
        <translation>Wahrscheinlichkeit, dass die Klasse stimmt: Mittel über die Segmente des Trägers, wie das Modell entscheidet; 1, wo sie bewiesen ist, abzüglich dessen, was fehlende Signale einer Zelle nehmen; bei no_band die der Klasse, die das Netz ihm gab</translation>
    </message>
    <message>
        <source>proven (a cell was decoded), likely (confidence above one half: rather right than wrong), unsure</source>
        <translation>bewiesen (eine Zelle wurde dekodiert), wahrscheinlich (Sicherheit über einhalb: eher richtig als falsch), unsicher</translation>
    </message>
    <message>
        <source>PCI</source>
        <translation>PCI</translation>
    </message>
    <message>
        <source>physical cell identity</source>
        <translation>physikalische Zellkennung</translation>
    </message>
    <message>
        <source>operating bands that fit, such as 3 or n77, n78</source>
        <translation>Betriebsbänder, die passen, etwa 3 oder n77, n78</translation>
    </message>
    <message>
        <source>since UTC</source>
        <translation>seit UTC</translation>
    </message>
    <message>
        <source>time of the first sample, UTC</source>
        <translation>Zeit des ersten Abtastwerts, UTC</translation>
    </message>
</context>
</TS>
