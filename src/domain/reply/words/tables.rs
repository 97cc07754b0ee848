//! The phrases themselves, in English, German, French and Spanish, as `tokens` gives them; a `|` between two.
//!
//! Umlauts stand here without dots and once more written out (`fur`, `fuer`), as keyboards abroad have it.

use super::Kind::{self, *};

/// For every question.
pub const ALWAYS: &[(Kind, &str)] = &[
    (
        Doubt,
        "my time|our time|my timezone|our timezone|my time zone|our time zone|my local time|our local time|your time|meine zeit|unsere zeit|meiner zeit|unserer zeit|notre heure|mon heure|mi hora|nuestra hora|heure de chez nous|passt auf|pass auf|good luck with that|change the|change it|agree to disagree|agreed to disagree|we agree to disagree|not only",
    ),
    (
        Polite,
        "for the information|for the info|for informing us|for informing me|for letting us know|for letting me know|for the notice|for the heads up|for the update|for your mail|for your email|for your message|for the warning|see you on the other side|fur die info|fur die information|fur die nachricht|fur ihre nachricht|fur die ankundigung|fur die rechtzeitige information|pour l info|pour l information|pour votre message|por la informacion|por la info|por el aviso|por avisar",
    ),
    // Yes.
    (
        Yes,
        "confirm|confirm it|i do confirm|yes i confirm|yes|yep|yup|yeah|yess|yes indeed|yes please|affirmative|confirmed|i confirm|we confirm|hereby confirm|can confirm",
    ),
    (
        Yes,
        "happy to confirm|this is to confirm|i would like to confirm|writing to confirm|confirming|correct|that is correct|thats correct",
    ),
    (Yes, "sure|for sure|sure thing|of course|certainly|absolutely|definitely|indeed|thats right|that is right"),
    (
        Yes,
        "ja|jo|jap|jep|jup|jawohl|ja gerne|ja bitte|bestatigt|bestaetigt|bestatige|bestaetige|bestatige ich|bestatigen wir|wir bestatigen|wir bestaetigen",
    ),
    (
        Yes,
        "kann ich bestatigen|kann ich bestaetigen|kann bestatigen|mochte ich bestatigen|ist bestatigt|klar|na klar|aber klar|aber ja|aber gerne|aber naturlich",
    ),
    (Yes, "naturlich|natuerlich|selbstverstandlich|selbstverstaendlich|genau|stimmt"),
    (
        Yes,
        "oui|ouais|oui oui|mais oui|bien sur|bien entendu|tout a fait|absolument|exact|exactement|certainement|effectivement",
    ),
    (
        Yes,
        "confirme|je confirme|je vous confirme|je te confirme|nous confirmons|nous vous confirmons|je le confirme|c est confirme|confirmee",
    ),
    (
        Yes,
        "si\u{1}|si ,|si gracias|si confirmo|si confirmado|si de acuerdo|si vale|si perfecto|si me va bien|si me viene bien|si senor|claro|claro que si|claro que si\u{1}",
    ),
    (
        Yes,
        "por supuesto|por supuesto que si|por supuesto que si\u{1}|desde luego|confirmo|lo confirmo|confirmado|confirmada|confirmamos|queda confirmado|te confirmo que si\u{1}|le confirmo que si\u{1}|os confirmo que si\u{1}|correcto|exacto|efectivamente|que si\u{1}|pero claro",
    ),
    // No.
    (
        No,
        "no|nope|nah|no way|negative|nein|nee|ne|nein danke|auf keinen fall|keinesfalls|keineswegs|non|non merci|negatif|certainement pas|surtout pas|pas du tout|absolument pas|bien sur que non",
    ),
    (
        No,
        "not ok|not okay|no good|not good|not fine|not at all|certainly not|absolutely not|definitely not|of course not|rather not|better not|im afraid not|i am afraid not|unfortunately not|sorry no|nicht gut|nicht ok|nicht okay|leider nicht|leider nein|lieber nicht|besser nicht|eher nicht|nicht in ordnung",
    ),
    (
        No,
        "pas bon|pas ok|malheureusement pas|malheureusement non|plutot non|plutot pas|pas bien|mejor no|que no|claro que no|por supuesto que no|lamentablemente no|desgraciadamente no|desafortunadamente no|no esta bien|no vale",
    ),
    // Negation.
    (
        Not,
        "not|dont|doesnt|didnt|isnt|arent|wasnt|wont|wouldnt|havent|hasnt|couldnt|shouldnt|cant|cannot|never|none|nothing|nobody|neither|nor|without|no longer|aint|unable",
    ),
    (Not, "nicht|nich|nix|kein|keine|keinen|keiner|keinem|keines|nie|niemals|nichts|niemand|ohne|weder|kaum"),
    (Not, "pas|n|jamais|aucun|aucune|sans|rien|ni|nullement"),
    (Not, "nunca|ningun|ninguna|ninguno|sin|nada|nadie|tampoco|jamas"),
    // Perhaps.
    (
        Maybe,
        "maybe|perhaps|possibly|probably|probably yes|likely|most likely|tentative|tentatively|tentatively yes|tentatively accepted|vielleicht|eventuell|evtl|moglicherweise|moeglicherweise|wahrscheinlich|vermutlich|unter vorbehalt|mit vorbehalt|vorlaufig|voraussichtlich",
    ),
    (
        Maybe,
        "peut etre|peut etre bien|probablement|sans doute|eventuellement|sous reserve|possiblement|vraisemblablement|quizas|quiza|tal vez|talvez|a lo mejor|probablemente|posiblemente|puede ser|puede que si\u{1}|puede que si|puede que",
    ),
    // Nothing is said yet.
    (
        Doubt,
        "cant confirm|cannot confirm|can not confirm|unable to confirm|not confirm|dont confirm|not yet|not yet confirmed|will confirm|ill confirm|we will confirm|well confirm|confirm later|to be confirmed|tbc|tbd|let me confirm|please confirm|could you confirm|can you confirm|to confirm|unconfirmed|not confirmed yet|confirm tomorrow|need to confirm",
    ),
    (
        Doubt,
        "not sure|im not sure|unsure|not certain|dont know|do not know|no idea|cant say|cannot say|cant tell|get back|let you know|let me check|let me see|check first|will check|ill check|need to check|have to check|checking|check with|double check|look into|ask|asking|asked|who|what|why|why not|which|where|how",
    ),
    (
        Doubt,
        "yeah right|as if|whatever|haha|lol|kidding|joking|just kidding|so what|yes and no|yes no|no idea yet|dont care|do not care|never mind|nevermind|good question|what window|wrong person|wrong address",
    ),
    (
        Doubt,
        "cant promise|cannot promise|cant guarantee|cant wait|kann ich nicht sagen|kann ich noch nicht sagen|kann nicht sagen|kann nicht versprechen|kann ich nicht versprechen|weiss nicht|weiss noch nicht|weiss ich nicht|weiss ich noch nicht|nicht sicher|noch nicht|kann nicht bestatigen|kann noch nicht|kann ich noch nicht|nicht bestatigen|melde mich|melde ich mich|gebe bescheid|gebe noch bescheid|sage bescheid|klare|klare ich|klaren|abklaren|prufe|pruefe|prufen|pruefen|frage|fragen|jein|ja und nein|mal sehen|mal schauen|schau mer mal|schaue|schauen|bestatigen sie|bitte bestatigen|keine ahnung|egal|mir egal|von wegen|wer|was|wann|warum|welche|welcher|welches|wie|wieso|na toll|na ja|naja",
    ),
    (
        Doubt,
        "ne peux pas dire|peux pas dire|ne sais pas|sais pas|je ne sais pas|pas sur|pas sure|pas certain|pas certaine|pas encore|ne peux pas confirmer|peux pas confirmer|confirmerai|confirmerons|reviens vers|verifier|verifie|je verifie|je regarde|a voir|faut voir|on verra|je vais voir|a confirmer|merci de confirmer|veuillez confirmer|oui et non|pourquoi|pourquoi pas|quand|comment|quel|quelle|lequel|qui|quoi|bof|aucune idee|ca depend",
    ),
    (
        Doubt,
        "no puedo decir|no puedo asegurar|no se|no lo se|no estoy seguro|no estoy segura|aun no|todavia no|no puedo confirmar|no confirmo|confirmare|confirmaremos|te confirmo|le confirmo|os confirmo|les confirmo|ya te dire|ya veremos|ya os dire|te digo|te aviso|le aviso|os aviso|aviso|verificar|comprobar|comprobare|revisar|revisare|consultar|consultare|por confirmar|si y no|si\u{1} y no|por que|por que no|cuando|como|cual|quien|quienes|donde|a ver|veremos|depende|ni idea",
    ),
    // Conditions, contradictions, wishes.
    (
        Hedge,
        "but|if|unless|except|however|although|though|provided|providing|as long as|so long as|depends|depending|assuming|hope|hoping|hopefully|should|would|could|might|may|try|trying|tried|later|check|wait|waiting|until|till|before|after|only|just not|almost|mostly|partly|partially|in principle|in theory|theoretically|basically|generally|subject|pending|think|guess|suppose|believe|seems|seem|looks|look|question|questions|concern|concerned|worried|worry|problem|problems|issue|issues|trouble|yet|still|for now|so far|conditionally|conditional|provisionally|condition|conditions|right|when|whenever|once|while|because|since|or|either|between|than|then again|otherwise|possible|possibility|need|must|want|wish|expect|expecting|request|boss|manager|colleague|behalf|somebody|someone|cancel|cancelled|stop|forget|wrong|bad|sorry|unfortunately|afraid|regret|emergency|urgent|please call|call me|unsubscribe|ironic|sarcasm",
    ),
    (
        Hedge,
        "aber|wenn|falls|sofern|soweit|nur|ausser|allerdings|jedoch|hoffe|hoffen|hoffentlich|sollte|sollten|konnte|koennte|konnten|koennten|wurde|wuerde|wurden|ware|waere|musste|muesste|muss|mussen|muessen|mochte|moechte|versuche|versuchen|spater|spaeter|erst|noch|bis|vor|nach|ab|grundsatzlich|grundsaetzlich|prinzipiell|im prinzip|theoretisch|eigentlich|vorbehaltlich|vorbehalt|denke|glaube|schatze|nehme an|problem|probleme|bedingung|notfalls|zur not|ungern|hochstens|meinetwegen|je nachdem|oder|weil|solange|sobald|sonst|moglich|moeglich|leider|trotzdem|dringend|zwischen|als ob|kollege|kollegin|chef|jemand|statt dessen nicht|bitte nicht|anrufen|falsch|schlecht|storniert|stornieren|absagen",
    ),
    (
        Hedge,
        "mais|si|sauf|seulement|cependant|toutefois|pourtant|a condition|condition|en principe|normalement|theoriquement|espere|j espere|esperons|devrait|devrais|devrions|pourrait|pourrais|serait|voudrais|aimerais|essayer|essaie|essaierai|plus tard|pense|je pense|crois|je crois|suppose|avant|apres|jusqu|jusque|encore|par contre|quand meme|uniquement|juste|probleme|problemes|souci|soucis|question|ou|car|puisque|parce|tant que|des que|des|sinon|possible|dommage|desole|desolee|malheureusement|helas|collegue|chef|quelqu|urgence|faut|dois|doit|annuler|annule",
    ),
    (
        Hedge,
        "pero|salvo|excepto|siempre que|siempre y cuando|a menos que|sin embargo|aunque|solo|solamente|unicamente|espero|esperemos|esperar|ojala|deberia|deberian|podria|podrian|seria|quisiera|quiero|intentare|intento|mas tarde|luego|en principio|teoricamente|normalmente|creo|supongo|pienso|antes|despues|hasta|todavia|aun|problema|problemas|pregunta|preguntas|condicion|o|porque|mientras|apenas|posible|lamentablemente|desgraciadamente|lo siento|perdon|companero|jefe|jefa|alguien|urgente|tengo que|hay que|cancelar|cancelado",
    ),
    // Another time.
    (
        Other,
        "another time|other time|different time|different day|different date|different slot|another day|another slot|another window|another date|other day|other date|alternative time|alternative date|reschedule|rescheduled|postpone|postponed|move it|move this|move the window|move the maintenance|be moved|moved to|shift it|shift the|push it|push this|could we do|can we do|could you do|can you do|how about|what about|propose|i propose|proposing|suggest|i suggest|my suggestion",
    ),
    (
        Other,
        "verschieben|verschoben|verlegen|verlegt|vorverlegen|anderer termin|anderen termin|anderer zeitpunkt|anderen zeitpunkt|andere zeit|andere uhrzeit|anderes zeitfenster|anderer tag|anderen tag|neuer termin|neuen termin|schlage vor|schlage stattdessen|vorschlag|mein vorschlag|wie ware|wie ware es|wie waere|wie waers|wie wars",
    ),
    (
        Other,
        "reporter|reportons|decaler|decale|decalons|repousser|deplacer|autre moment|autre horaire|autre date|autre creneau|autre jour|autre heure|je propose|propose|proposer|que diriez vous|pourrions nous|pourrait on|peut on|serait il possible|est il possible",
    ),
    (
        Other,
        "otra hora|otro momento|otro dia|otra fecha|otro horario|otra ventana|cambiar|cambiarlo|mover|moverlo|aplazar|aplazarlo|posponer|posponerlo|retrasar|retrasarlo|adelantar|reprogramar|propongo|sugiero|podriamos|seria posible|que tal|que os parece|que le parece",
    ),
    (
        Rather,
        "instead|rather|prefer|i prefer|would prefer|preferably|better|would be better|earlier|sooner|lieber|besser|stattdessen|statt|anstatt|ginge|ginge es|geht auch|geht es|gehts|alternativ|bevorzuge|ware mir lieber|konnten wir|koennten wir|konnen wir|fruher|frueher|plutot|prefere|je prefere|prefererais|mieux|preferable|au lieu|plus tot|mejor|prefiero|preferiria|en lugar|en vez|en cambio|podemos|mas temprano|could we|can we|shall we",
    ),
    (
        When,
        "today|tomorrow|tonight|yesterday|morning|afternoon|evening|night|noon|midnight|week|weeks|weekend|month|next|hour|hours|minutes|oclock|pm|utc|cet|gmt|day|days|heute|morgen|ubermorgen|gestern|vormittag|nachmittag|abend|abends|nacht|nachts|mittag|mitternacht|woche|wochen|wochenende|monat|uhr|stunde|stunden|minuten|nachste|nachsten|nachster|kommende|kommenden|tag|tage",
    ),
    (
        When,
        "aujourd|hui|demain|hier|matin|midi|soir|nuit|minuit|semaine|semaines|week end|mois|heure|heures|h|prochain|prochaine|jour|jours|hoy|manana|ayer|tarde|noche|mediodia|medianoche|semana|semanas|mes|hora|horas|proximo|proxima|dia|dias",
    ),
    (
        When,
        "january|february|march|april|june|july|august|september|october|november|december|januar|februar|marz|maerz|mai|juni|juli|oktober|dezember|janvier|fevrier|mars|avril|juin|juillet|aout|septembre|octobre|novembre|decembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|dec|nov|dez",
    ),
    (
        Noted,
        "received|noted|understood|acknowledged|ack|got it|roger|will do|read|seen|thanks for letting me know|no worries|i dont mind|i do not mind|dont mind|erhalten|verstanden|zur kenntnis genommen|zur kenntnis|notiert|gelesen|alles klar|wird gemacht|bien recu|recu|compris|note|bien note|c est note|pris note|entendu|lu|recibido|recibida|entendido|enterado|enterada|anotado|leido|tomo nota",
    ),
    (
        Polite,
        "\u{4f60}\u{597d}|\u{60a8}\u{597d}|\u{8c22}\u{8c22}|\u{8b1d}\u{8b1d}|大家好|早上好|下午好|晚上好|こんにちは|ありがとう|ありがとうございます|おはようございます|안녕하세요|감사합니다|привет|здравствуйте|спасибо|добрый день|с уважением|ciao|buongiorno|buonasera|salve|grazie|grazie mille|saluti|cordiali saluti|distinti saluti|ola|bom dia|boa tarde|boa noite|obrigado|obrigada|cumprimentos|atenciosamente|abraco|beste|goedemorgen|goedemiddag|dag|bedankt|dank je|dank u|groeten|groet|met vriendelijke groet|met vriendelijke groeten|mvg|hej|hei|tack|tak|takk|mvh|med vanliga halsningar|halsningar|hilsen|med venlig hilsen|vennlig hilsen|moi|kiitos|terveisin|dzien dobry|czesc|dziekuje|pozdrawiam|dobry den|dekuji|s pozdravem|merhaba|tesekkurler|saygilar|שלום|תודה|مرحبا|شكرا|السلام عليكم|aloha|namaste|shalom|salam|xin chao|cam on|dear sir or madam|folks|guys|hi folks|hey all|hi|hello|hey|dear|hi all|hi team|hello team|hi there|hello there|good morning|good afternoon|good evening|greetings|thank you|thanks|thank you very much|many thanks|thanks a lot|thanks again|thx|ty|cheers|regards|best|best regards|kind regards|warm regards|sincerely|yours|yours sincerely|all the best|have a nice day|have a good day|have a great day|have a nice weekend|have a good weekend|have a great weekend|see you|good luck|please|br|kr|thanks for the heads up|thanks for letting us know|thanks for the notice|thanks for the info|thanks for the information|thanks for asking|thanks in advance|hope you are well|i hope you are well|hope this finds you well|welcome|best wishes|take care|bye|everybody|everyone|ladies and gentlemen|sir|madam|colleagues|dear colleagues|ops|operations|admin|admins|support",
    ),
    (
        Polite,
        "hallo|guten tag|guten morgen|guten abend|gute nacht|moin|servus|gruss gott|sehr geehrte|sehr geehrter|sehr geehrte damen und herren|damen und herren|liebe|lieber herr|liebe kollegen|liebe kolleginnen|liebes team|hallo zusammen|hallo team|zusammen|danke|danke schon|danke schoen|dankeschon|vielen dank|vielen herzlichen dank|herzlichen dank|besten dank|danke sehr|danke dir|danke ihnen|danke euch|danke fur die info|danke fur die information|vielen dank fur die information|vielen dank fur die info|danke fuer die info|danke fur die nachricht|danke fur die vorwarnung|danke im voraus|bitte|gruss|grusse|gruesse|viele grusse|viele gruesse|liebe grusse|liebe gruesse|schone grusse|beste grusse|beste gruesse|freundliche grusse|mit freundlichen grussen|mit freundlichen gruessen|mit freundlichem gruss|mit besten grussen|herzliche grusse|lieben gruss|vg|lg|mfg|bg|schonen tag|schonen tag noch|einen schonen tag|schones wochenende|einen schonen abend|frau|herr|bis dann|bis bald|tschuss|ciao",
    ),
    (
        Polite,
        "bonjour|bonsoir|bonjour a tous|salut|cher|chere|chers|madame|monsieur|mesdames|messieurs|merci|merci beaucoup|merci bien|un grand merci|mille mercis|merci d avance|merci pour l information|merci pour l info|merci pour votre message|merci de votre message|merci de m avoir prevenu|merci a vous|merci a toi|cordialement|bien cordialement|tres cordialement|bien a vous|bien a toi|sinceres salutations|salutations|meilleures salutations|amicalement|bonne journee|bonne soiree|bonne semaine|bon week end|bonne continuation|a bientot|s il vous plait|s il te plait|svp|stp|j espere que vous allez bien|cdt|bav|toute l equipe",
    ),
    (
        Polite,
        "hola|hola a todos|buenas|buenos dias|buen dia|buenas tardes|buenas noches|estimado|estimada|estimados|estimadas|querido|querida|gracias|muchas gracias|mil gracias|gracias por avisar|gracias por el aviso|gracias por la informacion|gracias por la info|gracias por informar|gracias por tu mensaje|gracias por su mensaje|gracias de antemano|saludos|un saludo|saludos cordiales|cordiales saludos|un cordial saludo|cordialmente|atentamente|un abrazo|abrazo|abrazos|feliz dia|que tengas buen dia|que tenga buen dia|buen fin de semana|hasta luego|hasta pronto|hasta entonces|por favor|senor|senora|sr|sra|equipo|espero que esten bien|espero que este bien",
    ),
    (
        Filler,
        ",|the|a|an|and|is|are|am|be|it|its|that|thats|this|these|i|im|ive|we|were|our|us|me|my|you|your|for|to|of|on|in|at|by|with|from|as|so|very|all|totally|completely|fully|perfectly|perfekt so|parfaitement|perfectamente|really|also|too|here|there|then|well|do|does|go|proposed|planned|scheduled|announced|suggested|window|slot|time|timing|timeslot|time slot|maintenance|maintenance window|date|schedule|plan|key|rotation|replacement|vpn|server|connection|tunnel|downtime|interruption|outage|team|side|end|part|hereby|happy|glad|great|excellent|wonderful|super|awesome|cool|lovely|nice|quite|just|anyway|above|at that time|during that time|in that window|on that day|looking forward|afterwards|can",
    ),
    (
        Filler,
        "der|die|das|dem|den|des|ein|eine|einen|einem|und|ist|sind|es|ich|wir|mir|mich|uns|unser|unsere|mein|meine|meiner|meinerseits|unsererseits|ihr|ihnen|sie|du|dir|euch|fur|fuer|fur mich|fur uns|bei|von|vom|zu|zum|zur|im|am|an|auf|in|mit|so|sehr|ganz|voll|vollig|gut so|auch|hier|da|dann|damit|diese|dieser|dieses|diesem|diesen|termin|zeit|zeitfenster|zeitpunkt|zeitraum|fenster|wartung|wartungsfenster|wartungstermin|ankundigung|schlussel|schlusselwechsel|wechsel|tausch|austausch|server|verbindung|unterbrechung|ausfall|seite|hiermit|prima|toll|wunderbar|bestens|hervorragend|vorgeschlagene|vorgeschlagenen|geplante|geplanten|angekundigte|angekundigten|genannte|genannten|angegebene|angegebenen|bin|wie geplant|wie vorgeschlagen|wie angekundigt|wie angegeben|wie besprochen|absolut|jedenfalls|meinem|meinen|team|gerne|gern|kann|konnen",
    ),
    (
        Filler,
        "le|la|les|l|un|une|du|de|d|et|est|c|ce|cet|cette|cela|ca|il|elle|je|j|nous|vous|tu|te|on|mon|ma|mes|notre|votre|pour|pour moi|pour nous|de mon cote|de notre cote|a|au|aux|en|dans|avec|par|sur|m|moi|s|qu|que|tres|bien|aussi|tout|toute|ici|la date|creneau|creneau propose|horaire|fenetre|date|maintenance|intervention|operation|coupure|interruption|changement|cle|rotation|serveur|propose|proposee|prevu|prevue|annonce|annoncee|indique|indiquee|comme prevu|comme propose|super|genial|excellent|impeccable|formidable|suis|sommes|y|donc|alors|equipe|bonne|voila",
    ),
    (
        Filler,
        "el|los|las|un|una|unos|lo|y|e|es|esta|este|esto|ese|esa|eso|yo|nosotros|me|mi|mis|nos|nuestro|nuestra|tu|su|le|para|para mi|para nosotros|por|por mi|por mi parte|por nuestra parte|de|del|al|en|con|que|muy|tambien|todo|aqui|entonces|ventana|franja|horario|fecha|mantenimiento|ventana de mantenimiento|intervencion|corte|cambio|clave|rotacion|servidor|conexion|propuesto|propuesta|previsto|prevista|indicado|indicada|anunciado|anunciada|programado|programada|segun lo previsto|como propuesto|genial|estupendo|estupenda|excelente|fantastico|fenomenal|estoy|estamos|soy|somos|se|ya|asi|pues|bueno|equipo",
    ),
];

/// For "does the window suit you?".
pub const WINDOW: &[(Kind, &str)] = &[
    (
        Yes,
        "i have no objections|i have no objection|we have no objections|we have no objection|have no objections|have no problem|i have no problem|we have no problem|have no problems|have no issue|have no issues|have no conflict|have no conflicts|i have no conflict|i have no conflicts|have nothing planned|i have nothing planned|have nothing against it|i have nothing against it|habe nichts dagegen|ich habe nichts dagegen|haben nichts dagegen|wir haben nichts dagegen|habe keine einwande|haben keine einwande|habe keinen einwand|haben keinen einwand|habe kein problem|habe kein problem damit|n avons pas d objection|n avons aucune objection|n ai aucune objection|n ai pas d objection",
    ),
    (
        Other,
        "hour later|hours later|day later|days later|week later|weeks later|hour earlier|hours earlier|day earlier|stunde spater|stunden spater|tag spater|tage spater|woche spater|wochen spater|stunde fruher|stunden fruher|heure plus tard|heures plus tard|jour plus tard|semaine plus tard|heure plus tot|heures plus tot|hora mas tarde|horas mas tarde|dia mas tarde|semana mas tarde|hora antes|horas antes",
    ),
    (
        Yes,
        "ok|okay|okey|oki|o k|alright|all right|agreed|i agree|we agree|agree|accept|accepted|i accept|we accept|approve|approved|granted|go ahead|please go ahead|go for it|good to go|please proceed|feel free|no problem|no prob|no problemo|no probs at all|no prob at all|no problem|no problems|no problem at all|not a problem|not a problem at all|no issue|no issues|no objection|no objections|no conflict|no conflicts|no concerns|no probs|np|do not object|dont object|nothing against it|nothing planned|count me in|im in|i am in|lgtm|by all means|can do|deal|aye",
    ),
    (
        Yes,
        "einverstanden|in ordnung|geht in ordnung|geht klar|ist in ordnung|okidoki|zugesagt|zusage|ich sage zu|sage zu|sage ich zu|stimme zu|ich stimme zu|stimme dem zu|stimmen zu|wir stimmen zu|zustimmung|genehmigt|akzeptiert|akzeptiere|freigegeben|bin dabei|sind dabei|kein problem|kein thema|gar kein problem|uberhaupt kein problem|kein ding|keine einwande|keine einwaende|kein einwand|keine bedenken|nichts dagegen|nichts einzuwenden|spricht nichts dagegen|von mir aus|mir recht|ist mir recht|machen wir so|so machen wir es|so machen wir das|konnen wir so machen|konnen wir machen|konnen sie so machen|konnt ihr so machen|kann so gemacht werden|kann so durchgefuhrt werden|konnen so durchgefuhrt werden|konnen sie machen|konnt ihr machen|konnen sie gerne machen|konnt ihr gerne machen|machen sie das|machen sie es so|macht das|passt alles|nichts im wege|steht nichts im wege",
    ),
    (
        Yes,
        "d accord|je suis d accord|nous sommes d accord|accord|mon accord|vous avez mon accord|j accepte|accepte|nous acceptons|valide|je valide|volontiers|avec plaisir|pas de probleme|pas de problemes|aucun probleme|sans probleme|pas de souci|pas de soucis|aucun souci|sans souci|aucune objection|pas d objection|allez y|vas y|aucun inconvenient|pas d inconvenient|je n ai pas d objection|je n ai aucune objection|je n y vois pas d inconvenient|n y vois pas d inconvenient|n y vois aucun inconvenient|marche conclu",
    ),
    (
        Yes,
        "vale|okay|oka|de acuerdo|estoy de acuerdo|estamos de acuerdo|conforme|acepto|aceptado|aceptada|aceptamos|adelante|sin problema|sin problemas|sin ningun problema|ningun problema|no hay problema|no hay ningun problema|no tengo problema|no tengo ningun problema|no es problema|sin inconveniente|sin inconvenientes|ningun inconveniente|no hay inconveniente|no tengo inconveniente|no tengo ningun inconveniente|no veo inconveniente|sin objeciones|sin objecion|ninguna objecion|no tengo objeciones|no tengo objecion|puedes proceder|pueden proceder|podeis proceder|dale|hecho por mi parte",
    ),
    (
        Suits,
        "works|work|works for me|works for us|works fine|that works|will work for me|will work for us|will work|works well|works great|suits|suit|suits me|suits us|fine|good|good for me|sounds good|sounds great|sounds perfect|sounds fine|looks good|looks good to me|looks fine|all good|perfect|acceptable|convenient|available|happy with|comfortable with|can make it|i can make it|is possible for me|suitable|i can do that|we can do that|ok with|ok for me|ok for us|fine by me|fine with me|fine for me|fits|fit|fits me",
    ),
    (
        Suits,
        "passt|passt mir|passt uns|passt fur mich|passt fur uns|passend|klappt|geht|geht gut|gut|sehr gut|alles gut|perfekt|machbar|gunstig|kommt mir entgegen|gelegen|recht|verfugbar|bin verfugbar|passen",
    ),
    (
        Suits,
        "convient|conviennent|convient parfaitement|me va|nous va|ca me va|ca va|va bien|c est bon|bon|tout bon|parfait|c est parfait|marche|ca marche|ca roule|ca joue|tres bien|nickel|disponible|disponibles|me vont|m arrange|m arrange bien|faisable|ca ira|arrange|va",
    ),
    (
        Suits,
        "me va bien|me va perfecto|me va|nos va|nos va bien|va bien|me viene bien|me viene perfecto|me viene|nos viene bien|viene bien|me parece bien|nos parece bien|me parece perfecto|parece bien|me conviene|nos conviene|conviene|me funciona|nos funciona|funciona|esta bien|perfecto|perfecta|muy bien|bien|todo bien|todo ok|me encaja|encaja|me cuadra|cuadra|disponible|disponibles|puedo|podemos hacerlo|sirve|me sirve",
    ),
    (
        No,
        "cant make it|cannot make it|can not make it|cant do|cannot do|cant attend|cant on|cant at|cant then|cant do it|cant|cannot|can not|unavailable|not available|im not available|inconvenient|not convenient|not possible|impossible|isnt possible|decline|declined|i decline|declining|reject|rejected|refuse|object|objection|disagree|unacceptable|not acceptable|not agree|dont agree|do not agree|not accept|dont accept|do not accept|bad time|a bad time|not a good time|out of the question|not confirmed|not then|not this time|unable to make it|not able|unable|doesnt work|does not work|wont work|will not work|would not work|wouldnt work|doesnt suit|does not suit|not work|not suit|dont do it|do not do it|please dont|please do not|no thanks|no thank you|clashes with|conflicts with",
    ),
    (
        No,
        "kann nicht|kann leider nicht|kann ich nicht|kann ich leider nicht|da kann ich nicht|da kann ich leider nicht|kann da nicht|kann da leider nicht|konnen nicht|konnen wir nicht|konnen da nicht|konnen leider nicht|konnen wir leider nicht|nicht moglich|ist nicht moglich|leider nicht moglich|unmoglich|ungunstig|unpassend|passt schlecht|passt mir schlecht|passt mir gar nicht|passt gar nicht|passt uberhaupt nicht|lehne ab|lehne ich ab|ich lehne ab|lehnen ab|lehnen wir ab|abgelehnt|ablehnen|ich sage ab|muss absagen|muss ich absagen|muss leider absagen|muss ich leider absagen|absage|klappt nicht|klappt leider nicht|bin verhindert|verhindert|keine zeit|nicht einverstanden|nicht zustimmen|stimme nicht zu|stimme dem nicht zu|widerspreche|nicht verfugbar|geht nicht|geht leider nicht|geht gar nicht|geht bei mir nicht|geht bei mir leider nicht|geht bei uns nicht|geht fur mich nicht|schlechter zeitpunkt|schlechte zeit",
    ),
    (
        No,
        "impossible|pas possible|ce n est pas possible|n est pas possible|ne convient pas|convient pas|ne me convient pas|ne nous convient pas|ne peux pas|je ne peux pas|peux pas|ne pouvons pas|ne pourrai pas|pas disponible|ne suis pas disponible|je ne suis pas disponible|ne serai pas disponible|indisponible|refuse|je refuse|nous refusons|decline|je decline|pas d accord|ne suis pas d accord|ne va pas|ne me va pas|ca ne va pas|ca me va pas|pas moyen|ne m arrange pas|ne marche pas|ca ne marche pas|mauvais moment|n accepte pas|je n accepte pas|ne confirme pas|je ne confirme pas",
    ),
    (
        No,
        "no puedo|no podemos|no podre|no puede ser|no me va bien|no me va|no nos va bien|no va bien|no me viene bien|no nos viene bien|no viene bien|no me conviene|no nos conviene|no conviene|no es posible|imposible|no estoy disponible|no estare disponible|no disponible|no estoy de acuerdo|no de acuerdo|rechazo|rechazado|rechazada|declino|no acepto|no aceptamos|no me funciona|no funciona|me va mal|me viene mal|me va fatal|no se puede|no me parece bien|no me encaja|no me cuadra|no me sirve|mal momento|no es buen momento|no esta disponible",
    ),
    (
        Filler,
        "no further comments|no comments|no comment|no questions|no further questions|nothing further|keine fragen|keine weiteren fragen|keine anmerkungen|sans commentaire|pas de questions|pas de question|sin comentarios|sin preguntas|will|ill|i will|we will|i will be there|ill be there|i will reconfigure|ill reconfigure|i will reconfigure afterwards|ill reconfigure afterwards|i will download the new configuration|ill download the new configuration|ill download the new config|i will update my configuration|ill update my config|i will update my config|werde|werden|ich werde|werde neu konfigurieren|go|is|nothing to add",
    ),
    (Filler, "the proposed|for the maintenance|that day|the weekend is quiet"),
];

/// For "are you back?".
pub const BACK: &[(Kind, &str)] = &[
    (Yes, "alles wieder ok|alles wieder okay|alles wieder gut|alles wieder in ordnung|wieder ok"),
    (
        Yes,
        "im back|i am back|we are back|were back|back online|back again|im back online|i am back online|back up|back up and running|up and running|im connected|i am connected|connected again|connected|reconnected|im reconnected|i am reconnected|im online|i am online|online again|done and working|all done|done|reconfigured|i have reconfigured|ive reconfigured|reimported|all good|all fine|all set|everything works|everything fine|everything is fine|everything ok|everything is ok",
    ),
    (
        Suits,
        "works|working|works again|it works|it works again|works fine|works fine again|works well|works now|it works now|works great|works perfectly|is working|is working again|working again|working fine|working now|is up|is up again|up again",
    ),
    (
        Yes,
        "bin wieder da|bin wieder verbunden|bin verbunden|wieder da|wieder online|bin wieder online|wieder drin|bin wieder drin|wieder verbunden|verbunden|alles gut|alles bestens|alles ok|alles okay|alles in ordnung|erledigt|neu konfiguriert|neu eingerichtet|neu importiert|eingerichtet",
    ),
    (
        Suits,
        "lauft|laeuft|lauft wieder|laeuft wieder|funktioniert|funktioniert wieder|geht|geht wieder|geht jetzt|klappt|klappt wieder|lauft jetzt|steht wieder",
    ),
    (
        Yes,
        "je suis reconnecte|je suis reconnectee|je suis connecte|je suis connectee|reconnecte|reconnectee|connecte|connectee|de retour|je suis de retour|en ligne|c est fait|c est bon|tout est bon|tout est ok|tout va bien|c est reparti|tout est rentre dans l ordre|c est ok|reconfigure",
    ),
    (
        Suits,
        "marche|ca marche|ca marche a nouveau|ca remarche|fonctionne|ca fonctionne|fonctionne a nouveau|fonctionne de nouveau|ca refonctionne|marche a nouveau|marche de nouveau|tout marche|tout fonctionne|remarche",
    ),
    (
        Yes,
        "ya estoy conectado|ya estoy conectada|estoy conectado|estoy conectada|conectado|conectada|reconectado|ya estoy de vuelta|estoy de vuelta|de vuelta|estoy en linea|en linea|todo bien|todo ok|todo correcto|hecho|listo|lista|ya esta|reconfigurado|todo en orden",
    ),
    (
        Suits,
        "funciona|ya funciona|funciona de nuevo|funciona otra vez|funciona bien|todo funciona|vuelve a funcionar|me funciona|ya me funciona|va bien|ya va",
    ),
    (
        No,
        "still down|still offline|is down|down|broken|still broken|no connection|no luck|not back|im not back|not connected|fails|failed|failing|error|errors|timeout|doesnt work|does not work|not working|isnt working|still not working|still doesnt work|still does not work|cant connect|cannot connect|can not connect|unable to connect|wont connect|no handshake|keine verbindung|komme nicht rein|komme nicht drauf|geht nicht|geht immer noch nicht|geht noch nicht|geht noch immer nicht|funktioniert nicht|funktioniert noch nicht|funktioniert immer noch nicht|funktioniert leider nicht|lauft nicht|laeuft nicht|lauft noch nicht|kein verbindungsaufbau|kein zugriff|kein handshake|kaputt|klappt nicht|klappt leider nicht|fehler|fehlermeldung",
    ),
    (
        No,
        "ne marche pas|marche pas|ne marche toujours pas|marche toujours pas|ne fonctionne pas|fonctionne pas|ne fonctionne toujours pas|pas de connexion|pas connecte|toujours pas|toujours en panne|en panne|impossible de me connecter|ne peux pas me connecter|erreur|no funciona|no me funciona|sigue sin funcionar|todavia no funciona|aun no funciona|no va|no conecta|no me conecta|no se conecta|no puedo conectarme|no puedo conectar|sin conexion|sigue caido|no tengo conexion|no hay conexion|caido|fallo",
    ),
    (
        Filler,
        "without problems|without any problems|without issues|without a problem|no problems|no problem|no issues|ohne probleme|problemlos|einwandfrei|ohne problem|wieder|jetzt|sans probleme|aucun probleme|a nouveau|de nouveau|maintenant|sin problemas|sin problema|de nuevo|otra vez|ahora|again|now|back|fine|good|new|configuration|config|configured|new configuration|new config|new key|with the new configuration|with the new config|on my side|from my side|bei mir|neue|neuen|konfiguration|mit der neuen konfiguration|chez moi|de mon cote|nouvelle|nouvelle configuration|avec la nouvelle configuration|nueva|nueva configuracion|configuracion|con la nueva configuracion|perfect|perfekt|parfait|perfecto|up|online|ok now",
    ),
    (Noted, "ok|okay|agreed|accepted|alright|einverstanden|in ordnung|passt|d accord|vale|de acuerdo|conforme|accept"),
    (Hedge, "will|ill|werde|werden|going to|gleich|bientot|enseguida|soon|bald"),
];
