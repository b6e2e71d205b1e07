"""German: tooltips, and why a button cannot be pressed."""

SENTENCES: dict[str, str] = {
    "A Mouthpiece checkout on this computer": "Eine Arbeitskopie von Mouthpiece auf diesem Rechner",
    "A file of vertices and a modifier: exact, and nothing to edit": (
        "Eine Datei mit Punkten und ein Modifikator: genau, aber nicht zu bearbeiten"
    ),
    "A head of the actor; an untouched scene gets its colours and a camera, any other keeps its look": (
        "Ein Kopf des Schauspielers; eine unberührte Szene erhält seine Farben und eine Kamera, "
        "jede andere behält ihr Aussehen"
    ),
    "A key in every frame: exactly what was predicted": "Ein Schlüsselbild in jedem Bild: genau die Vorhersage",
    "A line is being animated; wait or cancel it": "Eine Zeile wird animiert; bitte warten oder abbrechen",
    "A recording, in its own time": "Eine Aufnahme in ihrer eigenen Zeit",
    "A service that runs already, here or on another computer": (
        "Ein Dienst, der schon läuft, hier oder auf einem anderen Rechner"
    ),
    "A sound strip of the Sequencer, with its place and trim": "Ein Klangstreifen des Sequencers mit Ort und Beschnitt",
    "A video is being worked on; wait or cancel it": "Ein Video wird bearbeitet; bitte warten oder abbrechen",
    "A video of one person who speaks into the camera, or a folder of such clips": (
        "Ein Video einer Person, die in die Kamera spricht, oder ein Ordner solcher Videos"
    ),
    "Add a line for each chosen sound file, for the selected character or a new talking head": (
        "Für jede gewählte Klangdatei eine Zeile hinzufügen, für die ausgewählte Figur oder einen neuen Kopf"
    ),
    "Add a line for each selected sound strip of the Sequencer": (
        "Für jeden ausgewählten Klangstreifen des Sequencers eine Zeile hinzufügen"
    ),
    "Address of a service, for example http://127.0.0.1:8427": (
        "Adresse eines Dienstes, zum Beispiel http://127.0.0.1:8427"
    ),
    "Also install what training an actor and inspecting a video need (Python 3.11 or 3.12)": (
        "Auch einrichten, was das Trainieren und das Prüfen eines Videos brauchen (Python 3.11 oder 3.12)"
    ),
    "Animate Sound with Mouthpiece": "Klang mit Mouthpiece animieren",
    "Animate the lines of the list one after the other": "Die Zeilen der Liste nacheinander animieren",
    "Animate the sound, and bake it onto the character or a new talking head; a scene in use keeps its colours": (
        "Den Klang animieren und auf die Figur oder einen neuen sprechenden Kopf backen; "
        "eine benutzte Szene behält ihre Farben"
    ),
    "Animate this line with the ticked ones": "Diese Zeile mit den angekreuzten animieren",
    "Another number gives other blinks and head motion": "Eine andere Zahl ergibt andere Lidschläge und Kopfbewegungen",
    "As Default, with networks of the published sizes: slow without a GPU": (
        "Wie Standard, mit Netzen der veröffentlichten Größen: langsam ohne GPU"
    ),
    "Ask how the backend does, and how to mend what is wrong with it": (
        "Fragen, wie es dem Backend geht und wie ein Fehler zu beheben ist"
    ),
    "Bake an animation folder into this scene as a talking head with its sound": (
        "Einen Animationsordner als sprechenden Kopf mit Ton in diese Szene backen"
    ),
    "Bake an animation folder onto the shape keys of the selected characters, as one action": (
        "Einen Animationsordner als eine Aktion auf die Shape-Keys der ausgewählten Figuren backen"
    ),
    "Bake what was seen into keys when it is stopped": "Beim Anhalten das Gesehene in Schlüsselbilder backen",
    "Choose a sound file for the Mouthpiece panel; several become lines of its list": (
        "Eine Klangdatei für das Mouthpiece-Panel wählen; mehrere werden Zeilen seiner Liste"
    ),
    "Choose an animation folder": "Einen Animationsordner wählen",
    "Delete the environment that Set Up Backend made, to free its space; actors and animations stay": (
        "Löschen, was „Backend einrichten“ angelegt hat, um Platz zu schaffen; Schauspieler und Animationen bleiben"
    ),
    "Factors for single shapes, for example jawOpen=0.8,mouthSmile=1.2; without a side both are meant": (
        "Faktoren für einzelne Formen, zum Beispiel jawOpen=0.8,mouthSmile=1.2; ohne Seite sind beide gemeint"
    ),
    "Few Bezier keys on the same shape keys, to be edited by hand": (
        "Wenige Bézier-Schlüsselbilder auf denselben Shape-Keys, von Hand zu bearbeiten"
    ),
    "Folder of a Mouthpiece checkout that `python3 build.py setup` was run in": (
        "Ordner einer Arbeitskopie von Mouthpiece, in der `python3 build.py setup` lief"
    ),
    "Folder that holds animation.npz": "Ordner mit animation.npz",
    "Folder that holds animation.npz, written by `mouthpiece animate SOUND --out FOLDER`": (
        "Ordner mit animation.npz, geschrieben von `mouthpiece animate KLANG --out ORDNER`"
    ),
    "Give the scene the animation's frame rate, range and true colours, and a camera where it has none": (
        "Der Szene Bildrate, Bereich und wahre Farben der Animation geben, und eine Kamera, wo keine ist"
    ),
    "How far a sparse curve may be off, as a part of a shape's full weight": (
        "Wie weit eine dünne Kurve abweichen darf, als Teil des vollen Gewichts einer Form"
    ),
    "How far the mouth opens for the breath before speech; 1 as people do, 0 for not at all": (
        "Wie weit der Mund sich für den Atem vor dem Sprechen öffnet; 1 wie bei Menschen, 0 für gar nicht"
    ),
    "How far the jaw opens; 1 as predicted": "Wie weit der Kiefer sich öffnet; 1 wie vorhergesagt",
    "How firmly the mouth stays closed where nobody speaks; 0 for not at all": (
        "Wie fest der Mund geschlossen bleibt, wo niemand spricht; 0 für gar nicht"
    ),
    "How much the brows move with the voice; 0 for still": "Wie sehr die Brauen der Stimme folgen; 0 für gar nicht",
    "How much the head moves with the voice; 0 for still": "Wie sehr der Kopf der Stimme folgt; 0 für gar nicht",
    "How much the lips shape the sounds; 1 as predicted": "Wie sehr die Lippen die Laute formen; 1 wie vorhergesagt",
    "How much the sounds differ from each other: below 1 is mumbled, above 1 pronounced": (
        "Wie sehr sich die Laute unterscheiden: unter 1 genuschelt, über 1 betont"
    ),
    "How often the eyes blink; 0 for never": "Wie oft die Augen blinzeln; 0 für nie",
    "How the character's shape keys are named": "Wie die Shape-Keys der Figur heißen",
    "Its libraries are downloaded: switch on Preferences > System > Allow Online Access": (
        "Bibliotheken werden heruntergeladen: Einstellungen > System > Online-Zugriff erlauben"
    ),
    "Keep the rig map and the active object's corrections as a preset, or remove one": (
        "Zuordnung und Korrekturen des aktiven Objekts als Voreinstellung behalten, oder eine entfernen"
    ),
    "Keep the style controls as a preset, or remove one": (
        "Die Stilregler als Voreinstellung behalten, oder eine entfernen"
    ),
    "Leave out the lines that are not ticked": "Nicht angekreuzte Zeilen auslassen",
    "Live is running; stop it first": "Live läuft; zuerst anhalten",
    "Let the scene's lights shade a talking head, instead of showing its textures as they are": (
        "Die Lichter der Szene einen sprechenden Kopf schattieren lassen, statt die Texturen zu zeigen, wie sie sind"
    ),
    "Look at what training would see in the video: tracking, light, sound, and whether it is good enough": (
        "Ansehen, was das Training im Video sähe: Verfolgung, Licht, Ton, und ob es gut genug ist"
    ),
    "Make an actor of the person in the video, with their consent; it takes from minutes to hours": (
        "Aus der Person im Video einen Schauspieler machen, mit ihrer Einwilligung; das dauert Minuten bis Stunden"
    ),
    "Make the backend's environment from what the add-on carries; downloads 0.3 GB of libraries, on Linux more": (
        "Die Umgebung des Backends aus dem Mitgebrachten anlegen; lädt 0,3 GB Bibliotheken herunter, unter Linux mehr"
    ),
    "Make the character the active object": "Die Figur zum aktiven Objekt machen",
    "Make the line a strip of the non-linear animation": (
        "Die Zeile zu einem Streifen der nichtlinearen Animation machen"
    ),
    "Mark where words begin in the timeline, where a transcript or a text was given": (
        "Auf der Zeitleiste markieren, wo Wörter beginnen, wenn es ein Transkript oder einen Text gibt"
    ),
    "Go to Object Mode or Pose Mode first, in the menu at the top left of the 3D View": (
        "Zuerst in den Objektmodus oder Posenmodus wechseln, im Menü links oben in der 3D-Ansicht"
    ),
    "Move the line up or down in the list": "Die Zeile in der Liste nach oben oder unten schieben",
    "Move the selected character with the voice at the microphone, or with a sound file in its own time": (
        "Die ausgewählte Figur mit der Stimme am Mikrofon bewegen, oder mit einer Klangdatei in ihrer eigenen Zeit"
    ),
    "Name in the rig map, for example jawOpen": "Name in der Zuordnung, zum Beispiel jawOpen",
    "Of the transcript, for example en-us, de, fr": "Des Transkripts, zum Beispiel en-us, de, fr",
    "Name of the action that is recorded; it gets a number where there is a line of this name": (
        "Name der Aktion, die aufgenommen wird; mit einer Nummer, wo eine Zeile schon so heißt"
    ),
    "Name of the action; the folder's name where it is empty": "Name der Aktion; der des Ordners, wenn leer",
    "Name of the actor that is made: letters, digits, - and _": (
        "Name des neuen Schauspielers: Buchstaben, Ziffern, - und _"
    ),
    "Name of the line's action; empty for the name of the line": "Name der Aktion; leer für den Namen der Zeile",
    "Name of what was made, which is replaced another time": (
        "Name dessen, was entstanden ist und ein andermal ersetzt wird"
    ),
    "Name or number of the microphone; empty for the system's own": (
        "Name oder Nummer des Mikrofons; leer für das des Systems"
    ),
    "No video is being worked on": "Kein Video wird bearbeitet",
    "Not animated; its message says why": "Nicht animiert; die Meldung sagt, warum",
    "Nothing is being done with the backend": "Mit dem Backend geschieht gerade nichts",
    "Program of the Python 3.11 to 3.13 to set the backend up with; empty for Blender's own": (
        "Programm des Python 3.11 bis 3.13, mit dem das Backend eingerichtet wird; leer für das von Blender"
    ),
    "Record over the take of this name; without it every take is kept": (
        "Die Aufnahme dieses Namens ersetzen; sonst bleibt jede Aufnahme erhalten"
    ),
    "Replace an actor of this name": "Einen Schauspieler dieses Namens ersetzen",
    "Say by hand which shape key a mouth shape drives": "Von Hand sagen, welchen Shape-Key eine Mundform bewegt",
    "Scene frame at which the sound file begins": "Bild der Szene, bei dem die Klangdatei beginnt",
    "Scene frame of the first key": "Bild der Szene für das erste Schlüsselbild",
    "Scene frame of the sound's start": "Bild der Szene, bei dem der Klang beginnt",
    "Seconds of sound after a frame that are waited for: the face is later by this, and more exact": (
        "Sekunden Klang nach einem Bild, auf die gewartet wird: um so viel später ist das Gesicht, und genauer"
    ),
    "Seconds over which the motion is smoothed; takes jitter away, and crispness too": (
        "Sekunden, über die die Bewegung geglättet wird; nimmt Zittern weg, aber auch Schärfe"
    ),
    "Select a character with shape keys": "Eine Figur mit Shape-Keys auswählen",
    "Select a character: an object with shape keys, or its armature": (
        "Eine Figur auswählen: ein Objekt mit Shape-Keys, oder ihre Armatur"
    ),
    "Select sound strips in the Sequencer": "Klangstreifen im Sequencer auswählen",
    "Shape key of this character; empty for none": "Shape-Key dieser Figur; leer für keinen",
    "Shape keys that were told by hand": "Von Hand genannte Shape-Keys",
    "Show the newest log of the backend in a text block: its set-up's, or its own": (
        "Das neueste Protokoll des Backends als Textblock zeigen: das der Einrichtung oder sein eigenes"
    ),
    "Show the predicted lip texture of each frame on a talking head": (
        "Die vorhergesagte Lippentextur jedes Bildes auf einem sprechenden Kopf zeigen"
    ),
    "Show the report of the last inspection in the browser": "Den Bericht der letzten Prüfung im Browser zeigen",
    "Size of all motion; 1 as predicted": "Größe aller Bewegung; 1 wie vorhergesagt",
    "Something is being done with the backend; wait or cancel it": (
        "Mit dem Backend geschieht gerade etwas; bitte warten oder abbrechen"
    ),
    "Start the backend now instead of with the first animation": (
        "Das Backend jetzt starten statt mit der ersten Animation"
    ),
    "Stop the backend that this Blender started": "Das Backend anhalten, das dieses Blender gestartet hat",
    "Stop the line that is being animated; nothing is baked": (
        "Die Zeile anhalten, die animiert wird; nichts wird gebacken"
    ),
    "Stop what is being done with the backend; an unfinished set-up is taken away": (
        "Anhalten, was mit dem Backend geschieht; eine halbe Einrichtung wird entfernt"
    ),
    "Stop what is being done with the video": "Anhalten, was mit dem Video geschieht",
    "Stop; what was recorded is baked into keys": "Anhalten; die Aufnahme wird in Schlüsselbilder gebacken",
    "Store the face's still texture in the .blend; the sequence of the lips stays in its folder": (
        "Die ruhende Textur des Gesichts in der .blend speichern; die Bildfolge der Lippen bleibt in ihrem Ordner"
    ),
    "Take the line out of the list; what was baked stays": "Die Zeile aus der Liste nehmen; das Gebackene bleibt",
    "Text block with the words of the sound: the mouth follows them better, and they can be marked": (
        "Textblock mit den Worten des Klangs: der Mund folgt ihnen genauer, und sie können markiert werden"
    ),
    "The active object has no shape keys": "Das aktive Objekt hat keine Shape-Keys",
    "The backend that the add-on carries; one click sets it up": (
        "Das Backend, das die Erweiterung mitbringt; ein Klick richtet es ein"
    ),
    "The day of the consent, as 2026-01-31": "Der Tag der Einwilligung, als 2026-01-31",
    "The face alone, from the voice model: a minute after tracking": (
        "Nur das Gesicht, aus dem Stimmenmodell: eine Minute nach dem Verfolgen"
    ),
    "The face alone, touched up: some minutes": "Nur das Gesicht, nachgebessert: einige Minuten",
    "The face and the texture of its mouth: a talking head": (
        "Das Gesicht und die Textur seines Mundes: ein sprechender Kopf"
    ),
    "The line whose details are shown": "Die Zeile, deren Einzelheiten gezeigt werden",
    "The selected sound strip of the Sequencer, with its place and trim": (
        "Der ausgewählte Klangstreifen des Sequencers mit Ort und Beschnitt"
    ),
    "The sentence the speaker agreed to, in their words or shown to them": (
        "Der Satz, dem der Sprecher zugestimmt hat, in seinen Worten oder ihm vorgelegt"
    ),
    "The shape keys of what is selected": "Die Shape-Keys der Auswahl",
    "The speaker, or who may decide for them": "Der Sprecher, oder wer für ihn entscheiden darf",
    "The speech the animation was made from": "Die Rede, aus der die Animation entstand",
    "The speech the animation was made from; leave empty to import the face alone": (
        "Die Rede, aus der die Animation entstand; leer, um nur das Gesicht zu importieren"
    ),
    "The synthetic voice, for example en-us, en-us+f2 or de": (
        "Die künstliche Stimme, zum Beispiel en-us, en-us+f2 oder de"
    ),
    "This Blender has started no backend": "Dieses Blender hat kein Backend gestartet",
    "Train although the inspection of the video found faults": "Trainieren, obwohl die Prüfung des Videos Mängel fand",
    "What stands in the service's token file": "Was in der Schlüsselwortdatei des Dienstes steht",
    "What the actor may be used for": "Wofür der Schauspieler verwendet werden darf",
    "What the line is found by while others come and go": (
        "Woran die Zeile erkannt wird, während andere kommen und gehen"
    ),
    "What turns the speech into motion": "Was Rede in Bewegung verwandelt",
    "What was made, or what went wrong": "Was entstanden ist, oder was schiefging",
    "Who speaks: any part of a character with shape keys; empty for a new talking head": (
        "Wer spricht: irgendein Teil einer Figur mit Shape-Keys; leer für einen neuen sprechenden Kopf"
    ),
    "Whose face and voice are in the video": "Wessen Gesicht und Stimme im Video sind",
    "Whose way of speaking is used": "Wessen Sprechweise verwendet wird",
    "Words that the backend speaks with a synthetic voice": "Worte, die das Backend mit künstlicher Stimme spricht",
    "auto, arkit, oculus or a .json file": "auto, arkit, oculus oder eine .json-Datei",
    "starting the backend again": "das Backend neu starten",
}
